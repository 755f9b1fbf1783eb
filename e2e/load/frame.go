package load

import (
	"bufio"
	"fmt"
	"io"
)

// The kinds of frames (RFC 6455) that are used here.
const (
	opText  = 1
	opClose = 8
)

// writeFrame writes a short frame, masked by zeros: a client has to mask.
func writeFrame(w io.Writer, op byte, payload []byte) error {
	frame := append([]byte{0x80 | op, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
	_, err := w.Write(frame)
	return err
}

// readFrame reads a short frame that a server sent.
func readFrame(r *bufio.Reader) (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, head[1]&0x7f)
	_, err = io.ReadFull(r, payload)
	return head[0] & 0x0f, payload, err
}

// echo says something and hears the same.
func echo(w io.Writer, r *bufio.Reader, text string) error {
	if err := writeFrame(w, opText, []byte(text)); err != nil {
		return err
	}
	op, payload, err := readFrame(r)
	switch {
	case err != nil:
		return fmt.Errorf("the WebSocket ended without a close: %w", err)
	case op == opClose:
		return errClosed
	case string(payload) != text:
		return fmt.Errorf("%q came back, want %q", payload, text)
	}
	return nil
}
