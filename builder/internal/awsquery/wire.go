package awsquery

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 32 << 20

// serialize writes the request.
type serialize struct{ endpoint, form string }

func (s *serialize) ID() string { return "OperationSerializer" }

func (s *serialize) HandleSerialize(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
	fail := func(err error) (middleware.SerializeOutput, middleware.Metadata, error) {
		return middleware.SerializeOutput{}, middleware.Metadata{}, &smithy.SerializationError{Err: err}
	}
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return fail(fmt.Errorf("the request is a %T", in.Request))
	}
	to, err := url.Parse(s.endpoint)
	if err != nil {
		return fail(err)
	}
	if to.Path == "" {
		to.Path = "/"
	}
	req.Method, req.URL = http.MethodPost, to
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if in.Request, err = req.SetStream(strings.NewReader(s.form)); err != nil {
		return fail(err)
	}
	return next.HandleSerialize(ctx, in)
}

// deserialize reads the answer.
type deserialize struct{ out any }

func (d *deserialize) ID() string { return "OperationDeserializer" }

func (d *deserialize) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok {
		return out, metadata, &smithy.DeserializationError{Err: fmt.Errorf("the answer is a %T", out.RawResponse)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		err = &smithy.DeserializationError{Err: err}
	case resp.StatusCode != http.StatusOK:
		err = &smithyhttp.ResponseError{Response: resp, Err: refusal(resp.StatusCode, body)}
	default:
		if err = result(body, d.out); err != nil {
			err = &smithy.DeserializationError{Err: err, Snapshot: body[:min(len(body), 1024)]}
		}
	}
	out.Result = d.out
	return out, metadata, err
}

// result decodes what is in the answer's second element, ActionResult.
func result(body []byte, out any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if depth++; depth == 2 {
			return d.DecodeElement(out, &start)
		}
	}
}

// refusal is what the service says of a call that it did not fulfil.
func refusal(status int, body []byte) error {
	var said struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	if xml.Unmarshal(body, &said) != nil || said.Code == "" {
		said.Code, said.Message = "UnknownError", fmt.Sprintf("the answer is %d %s", status, http.StatusText(status))
	}
	fault := smithy.FaultClient
	if status >= http.StatusInternalServerError {
		fault = smithy.FaultServer
	}
	return &smithy.GenericAPIError{Code: said.Code, Message: said.Message, Fault: fault}
}
