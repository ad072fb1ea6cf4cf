// What does Go's archive/tar see in a tar? The container runtimes read layers with it.
//
// Standard input holds archives, each behind its length in eight octets, big-endian. For each archive standard output gets a
// line of JSON for every entry whose data are all there, and one line with the error that ended it ("" at a good end) and
// the bytes that were read of it.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"strings"
)

// Sparse files of more logical octets than this are not read.
const hashed = 64 << 20

type entry struct {
	Name   string            `json:"name"` // base64, as Link and Xattrs: they need not be UTF-8
	Type   string            `json:"type"`
	Size   int64             `json:"size"`
	Link   string            `json:"link"`
	Mode   int64             `json:"mode"`
	Uid    int               `json:"uid"`
	Gid    int               `json:"gid"`
	Second int64             `json:"second"`
	Nano   int               `json:"nano"`
	Major  int64             `json:"major"`
	Minor  int64             `json:"minor"`
	Offset int64             `json:"offset"` // of the data
	Digest string            `json:"digest"` // of the content; "" where it was not read
	Xattrs map[string]string `json:"xattrs,omitempty"`
}

type end struct {
	Error string `json:"error"`
	Read  int64  `json:"read"`
}

// counter counts what is read, and hides that the reader below could seek.
type counter struct {
	reader io.Reader
	count  int64
}

func (c *counter) Read(data []byte) (int, error) {
	size, err := c.reader.Read(data)
	c.count += int64(size)
	return size, err
}

func text(value string) string { return base64.StdEncoding.EncodeToString([]byte(value)) }

func list(data []byte, out *json.Encoder) error {
	source := &counter{reader: bytes.NewReader(data)}
	reader := tar.NewReader(source)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return out.Encode(end{"", source.count})
		}
		if err != nil {
			return out.Encode(end{err.Error(), source.count})
		}
		row := entry{
			Name: text(header.Name), Type: string(rune(header.Typeflag)), Size: header.Size, Link: text(header.Linkname),
			Mode: header.Mode, Uid: header.Uid, Gid: header.Gid,
			Second: header.ModTime.Unix(), Nano: header.ModTime.Nanosecond(),
			Major: header.Devmajor, Minor: header.Devminor, Offset: source.count,
		}
		sparse := header.Typeflag == tar.TypeGNUSparse
		for key, value := range header.PAXRecords {
			sparse = sparse || strings.HasPrefix(key, "GNU.sparse.")
			if name, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok && value != "" {
				if row.Xattrs == nil {
					row.Xattrs = map[string]string{}
				}
				row.Xattrs[text(name)] = text(value)
			}
		}
		if header.Size <= hashed || !sparse {
			hasher := sha256.New()
			if _, err := io.Copy(hasher, reader); err != nil {
				return out.Encode(end{err.Error(), source.count})
			}
			row.Digest = hex.EncodeToString(hasher.Sum(nil))
		}
		if err := out.Encode(row); err != nil {
			return err
		}
	}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(out)
	for {
		var size uint64
		if err := binary.Read(in, binary.BigEndian, &size); err != nil {
			return
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(in, data); err != nil {
			return
		}
		if err := list(data, encoder); err != nil {
			os.Exit(1)
		}
		if err := out.Flush(); err != nil {
			os.Exit(1)
		}
	}
}
