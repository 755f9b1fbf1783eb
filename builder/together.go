package builder

import (
	"errors"
	"sync"
)

// together does several things at the same time, waits for all of them, and
// joins their errors in the order of the things.
func together(do ...func() error) error {
	return forEach(len(do), func(i int) error { return do[i]() })
}

// forEach does something for each of n things, like together.
func forEach(n int, do func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			defer recovered(&errs[i])
			errs[i] = do(i)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
