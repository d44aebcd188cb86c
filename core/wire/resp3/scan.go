// Package resp3 is the codec of the RESP3 wire (resp3://, redis://): commands,
// replies and pushes, bytes in and bytes out, with no I/O (protocol: resp3 1). It
// reads what Synap sends, and the forms in which Redis says the same.
package resp3

import (
	"bytes"
	"errors"
	"strconv"
)

// Limits of the wire (protocol: resp3 1).
const (
	MaxBulk  = 536_870_912
	MaxItems = 1_048_576
	maxLine  = 65_536
	maxDepth = 128
)

// Errors of the decoders. Any of them means that the connection is of no more use.
var (
	ErrSyntax = errors.New("resp3: the bytes are no reply")
	ErrSize   = errors.New("resp3: a reply is over the size limit")
	ErrDepth  = errors.New("resp3: a reply is nested too deep")
)

// Scanner finds the end of a reply in bytes that arrive in pieces, and reads each
// byte once.
type Scanner struct {
	pos     int   // how far the reply was read
	open    []int // items missing in each aggregate that was begun
	request bool  // clients may not send errors and pushes
}

// Scan returns how many bytes the reply at the start of buf has, 0 if more must
// come first: then call it again with the same bytes and what follows them. limit
// bounds the reply.
func (s *Scanner) Scan(buf []byte, limit int) (int, error) {
	for {
		if rest := buf[s.pos:]; s.request && len(rest) > 0 && (rest[0] == '!' || rest[0] == '>') {
			return 0, ErrSyntax
		}
		n, items, err := scanHead(buf[s.pos:], limit)
		if err != nil {
			return 0, err
		}
		if n == 0 || s.pos+n > len(buf) {
			if s.pos+max(n, len(buf)-s.pos) > limit {
				return 0, ErrSize
			}
			return 0, nil
		}
		if s.pos += n; s.pos > limit {
			return 0, ErrSize
		}
		if items >= 0 {
			if len(s.open) >= maxDepth {
				return 0, ErrDepth
			}
			s.open = append(s.open, items)
		} else if len(s.open) > 0 {
			s.open[len(s.open)-1]--
		}
		for len(s.open) > 0 && s.open[len(s.open)-1] == 0 {
			s.open = s.open[:len(s.open)-1]
			if len(s.open) > 0 {
				s.open[len(s.open)-1]--
			}
		}
		if len(s.open) == 0 {
			n := s.pos
			s.pos = 0
			return n, nil
		}
	}
}

var prefixes = []byte("+-:_,#($=!*~>%|")

// scanHead reads one item: n is its length (of an aggregate that of its header),
// beyond buf if bytes are missing and 0 if the header is not complete. items is
// how many items an aggregate has, -1 if it is none.
func scanHead(buf []byte, limit int) (n, items int, err error) {
	if len(buf) > 0 && !bytes.Contains(prefixes, buf[:1]) {
		return 0, 0, ErrSyntax // no end of a line need come
	}
	end := bytes.IndexByte(buf[:min(len(buf), maxLine)], '\n')
	if end < 0 {
		if len(buf) >= maxLine {
			return 0, 0, ErrSize
		}
		return 0, 0, nil
	}
	line := end + 1
	switch buf[0] {
	case '+', '-', ':', '_', ',', '#', '(':
		return line, -1, nil
	case '$', '=', '!':
		size, ok := count(buf[1:end])
		switch {
		case !ok:
			return 0, 0, ErrSyntax
		case size < 0:
			return line, -1, nil
		case size > min(limit, MaxBulk):
			return 0, 0, ErrSize
		}
		return line + size + 2, -1, nil
	case '*', '~', '>', '%', '|':
		size, ok := count(buf[1:end])
		switch {
		case !ok:
			return 0, 0, ErrSyntax
		case size < 0:
			return line, -1, nil
		case size > MaxItems:
			return 0, 0, ErrSize
		}
		if buf[0] == '%' || buf[0] == '|' {
			size *= 2
		}
		if buf[0] == '|' {
			size++ // attributes stand before what they describe
		}
		return line, size, nil
	}
	return 0, 0, ErrSyntax
}

// count reads a length; -1 is null.
func count(line []byte) (int, bool) {
	if len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	if len(line) > 19 {
		return 0, false
	}
	n, err := strconv.Atoi(string(line))
	return n, err == nil && n >= -1
}
