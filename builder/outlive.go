package builder

import (
	"context"
	"time"
)

// outlive is a context that goes on for some time after ctx has ended: for a
// call that makes something, whose answer has to be heard.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), wantedKey{}, ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(d, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() { stop(); cancel() }
}

type wantedKey struct{}

// unwanted says whether a call goes on in a canceled build. Once AWS has said
// that nothing was made, it need not.
func unwanted(ctx context.Context) bool {
	wanted, ok := ctx.Value(wantedKey{}).(context.Context)
	return ok && wanted.Err() != nil
}
