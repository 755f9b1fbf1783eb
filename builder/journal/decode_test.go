package journal

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagobuild/imago/builder"
	"github.com/imagobuild/imago/builder/gc"
)

const header = `{"imago":1,"build":"0123456789ab","locked":true,"owner":{"host":"h","pid":7},"via":{}}` + "\n"

func TestDecode(t *testing.T) {
	one := `{"build":"0123456789ab","time":"2026-11-27T12:00:00Z","act":"making","kind":"instance","region":"us-east-1","name":"imago-0123456789ab"}` + "\n"
	for name, tt := range map[string]struct {
		data string
		want int
		err  string
	}{
		"nothing":         {"", 0, "no header"},
		"torn header":     {header[:20], 0, "no header"},
		"no header":       {"{}\n", 0, "line 1 is no header"},
		"another version": {`{"imago":2,"build":"0123456789ab"}` + "\n", 0, "written by another imago (version 2)"},
		"header alone":    {header, 0, ""},
		"records":         {header + one + one, 2, ""},
		"torn record":     {header + one + one[:60], 1, ""},
		"damaged":         {header + "x\n" + one + `{"build":"x"}` + "\n", 1, "line 2 is no record\nline 4 is no record"},
	} {
		_, records, err := Decode([]byte(tt.data))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if len(records) != tt.want || text != tt.err {
			t.Errorf("%s: %d records, error %q; want %d, %q", name, len(records), text, tt.want, tt.err)
		}
	}
}

// TestThings: what was made, or may have been, and was neither taken back nor kept.
func TestThings(t *testing.T) {
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	r := func(act builder.Act, kind, region, name, id string) builder.Record {
		return builder.Record{Act: act, Kind: kind, Region: region, Name: name, ID: id, Time: at}
	}
	got := things([]builder.Record{
		r(builder.Making, "key pair", "us-east-1", "k", ""), r(builder.Made, "key pair", "us-east-1", "k", "k"), r(builder.Gone, "key pair", "us-east-1", "k", "k"),
		r(builder.Making, "instance", "us-east-1", "token", ""),
		r(builder.Making, "image", "us-east-1", "web", ""), r(builder.Made, "image", "us-east-1", "web", "ami-1"), r(builder.Kept, "image", "us-east-1", "web", "ami-1"),
		r(builder.Making, "image", "eu-west-1", "web", ""), r(builder.Made, "image", "eu-west-1", "web", "ami-2"),
		{Act: builder.Leaked, Time: at},
	})
	want := []gc.Thing{{Kind: "instance", Region: "us-east-1", Since: at}, {Kind: "image", ID: "ami-2", Region: "eu-west-1", Since: at}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzDecode: whatever is in a file, reading it ends well; and what is read can
// be written and read again.
func FuzzDecode(f *testing.F) {
	made := `{"build":"0123456789ab","time":"2026-11-27T12:00:00Z","act":"made","kind":"image","region":"us-east-1","name":"web 1","id":"ami-1"}` + "\n"
	for _, seed := range []string{
		"", "\n", header, header + made, header + made + made[:40], header + "\n\n" + made, "{}\n" + made,
		header + `{"build":"0123456789ab","act":"ended","time":"0000-00-00T00:00:00Z"}` + "\n", header + "null\n[]\n7\n", "\xff\xfe" + header,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, records, err := Decode(data)
		if h.Build == "" {
			if err == nil || records != nil {
				t.Fatalf("no header, %d records, error %v", len(records), err)
			}
			return
		}
		things(records)
		var again bytes.Buffer
		writeLine(&again, h)
		for _, r := range records {
			if err := writeLine(&again, r); err != nil {
				t.Skip(err) // years beyond 9999
			}
		}
		h2, records2, err := Decode(again.Bytes())
		if err != nil || h2 != h || len(records2) != len(records) {
			t.Fatalf("read again: %v; %d records, were %d", err, len(records2), len(records))
		}
		for i := range records {
			a, _ := json.Marshal(records[i])
			if b, _ := json.Marshal(records2[i]); !bytes.Equal(a, b) {
				t.Fatalf("record %d is %s, was %s", i, b, a)
			}
		}
	})
}
