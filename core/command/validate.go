package command

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/libsynap/libsynap/core/errs"
	"github.com/libsynap/libsynap/core/value"
)

// Validate checks positional arguments against the entry and returns them with
// one element per argument of the entry, absent ones nil. It is what every
// typed call of every host passes before anything is sent.
func (c *Command) Validate(args []value.Value) ([]value.Value, *errs.Error) {
	if len(args) > len(c.Args) {
		return nil, c.invalid("takes at most " + strconv.Itoa(len(c.Args)) + " arguments, not " + strconv.Itoa(len(args)))
	}
	given := len(args)
	if given < len(c.Args) {
		full := make([]value.Value, len(c.Args))
		copy(full, args)
		args = full
	}
	for i := range c.Args {
		a := &c.Args[i]
		if args[i].IsNil() {
			// nil is a JSON value; everywhere else it means absent.
			if a.Required && (a.Type != JSON || i >= given) {
				return nil, c.invalid(a.Name + " is required")
			}
			continue
		}
		wrong := a.check(args[i])
		if wrong == "" && a.Check != nil {
			wrong = a.Check(args[i])
		}
		if wrong == "" {
			wrong = c.together(i, args)
		}
		if wrong != "" {
			return nil, c.invalid(a.Name + " " + wrong)
		}
	}
	// What ends the server as a raw command ends it as a typed one.
	if check := lethal(c.ServerName()); check != nil {
		if wrong := check(c.topLevel(args)); wrong != "" {
			return nil, c.invalid(wrong)
		}
	}
	return args, nil
}

func (c *Command) invalid(message string) *errs.Error {
	return &errs.Error{Code: errs.InvalidArgument, Command: c.Name, Message: message}
}

// together returns what is wrong with giving argument i beside the others. A flag
// that is off counts as not given.
func (c *Command) together(i int, args []value.Value) string {
	a := &c.Args[i]
	if on, isFlag := args[i].AsBool(); (a.Without == "" && a.With == "") || (isFlag && !on) {
		return ""
	}
	for k := range c.Args {
		on, isFlag := args[k].AsBool()
		switch c.Args[k].Name {
		case a.Without:
			if on || (!isFlag && !args[k].IsNil()) {
				return "and " + a.Without + " exclude each other"
			}
		case a.With:
			if isFlag && !on {
				return "needs " + a.With
			}
		}
	}
	return ""
}

// topLevel puts arguments under their names, for the guards.
func (c *Command) topLevel(args []value.Value) value.Value {
	kv := make([]value.Value, 0, 2*len(args))
	for i := range args {
		if !args[i].IsNil() {
			kv = append(kv, value.Str(c.Args[i].Wire()), args[i])
		}
	}
	return value.Map(kv...)
}

// check returns what is wrong with v, "" if nothing.
func (a *Arg) check(v value.Value) string {
	switch a.Type {
	case String:
		s, ok := v.AsStr()
		if !ok {
			return mustBe("text", v)
		}
		return a.checkText(s)
	case Blob:
		if _, ok := v.AsBlob(); !ok {
			return mustBe("text or bytes", v) + "; store other values with set_json or as text"
		}
	case Bytes:
		if v.Kind() != value.KindBytes {
			return mustBe("bytes", v) + "; encode text first"
		}
	case JSON:
		return checkJSON(v, 0)
	case Int, Uint:
		n, ok := v.AsInt()
		if !ok {
			if v.Kind() == value.KindUint {
				return "must be within the int64 range"
			}
			return mustBe("an integer", v)
		}
		if (a.Min != 0 || a.Max != 0) && (n < a.Min || n > a.Max) {
			return a.bounds()
		}
	case Float:
		f, ok := v.AsFloat()
		if !ok {
			return mustBe("a number", v)
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return "must be finite"
		}
		if (a.Min != 0 || a.Max != 0) && (f < float64(a.Min) || f > float64(a.Max)) {
			return a.bounds()
		}
	case Bool:
		if _, ok := v.AsBool(); !ok {
			return mustBe("a boolean", v)
		}
	case StringList:
		if v.Kind() != value.KindArray {
			return mustBe("a list of texts", v)
		}
		if a.NonEmpty && v.Len() == 0 {
			return "must not be empty"
		}
		for i := 0; i < v.Len(); i++ {
			s, ok := v.Index(i).AsStr()
			if !ok {
				return "must hold only texts; element " + strconv.Itoa(i) + " is " + v.Index(i).Kind().String()
			}
			if wrong := a.checkText(s); wrong != "" {
				return "element " + strconv.Itoa(i) + " " + wrong
			}
		}
	case BlobList:
		if v.Kind() != value.KindArray {
			return mustBe("a list of text or bytes", v)
		}
		if a.NonEmpty && v.Len() == 0 {
			return "must not be empty"
		}
		for i := 0; i < v.Len(); i++ {
			if _, ok := v.Index(i).AsBlob(); !ok {
				return "must hold only text or bytes; element " + strconv.Itoa(i) + " is " + v.Index(i).Kind().String()
			}
		}
	case FloatList:
		return a.checkFloats(v)
	case Places:
		return a.checkPlaces(v)
	case Pairs:
		if v.Kind() != value.KindArray {
			return mustBe("a list of (key, value) pairs", v)
		}
		for i := 0; i < v.Len(); i++ {
			p := v.Index(i)
			if p.Kind() != value.KindArray || p.Len() != 2 {
				return "must hold only (key, value) pairs; element " + strconv.Itoa(i) + " is not one"
			}
			key, ok := p.Index(0).AsStr()
			if !ok || !utf8.ValidString(key) {
				return "element " + strconv.Itoa(i) + ": the key must be text"
			}
			if _, ok := p.Index(1).AsBlob(); !ok {
				return "element " + strconv.Itoa(i) + ": the value must be text or bytes, not " + p.Index(1).Kind().String()
			}
		}
	case StringMap:
		if v.Kind() != value.KindMap {
			return mustBe("a map from text to text", v)
		}
		for i := 0; i < v.Len(); i++ {
			k, e := v.Pair(i)
			name, textKey := k.AsStr()
			text, textValue := e.AsStr()
			if !textKey || !textValue {
				return "must be a map from text to text"
			}
			if !utf8.ValidString(name) || !utf8.ValidString(text) {
				return "must be valid UTF-8"
			}
		}
	}
	return ""
}

func (a *Arg) bounds() string {
	return "must be from " + strconv.FormatInt(a.Min, 10) + " to " + strconv.FormatInt(a.Max, 10)
}

func (a *Arg) checkText(s string) string {
	if a.NonEmpty && s == "" {
		return "must not be empty"
	}
	if !utf8.ValidString(s) {
		return "must be valid UTF-8"
	}
	if a.OneOf != nil && !slices.Contains(a.OneOf, s) {
		last := len(a.OneOf) - 1
		return "must be " + strings.Join(a.OneOf[:last], ", ") + " or " + a.OneOf[last]
	}
	return ""
}

func (a *Arg) checkFloats(v value.Value) string {
	if v.Kind() != value.KindArray {
		return mustBe("a list of numbers", v)
	}
	for i := range v.Len() {
		if f, ok := v.Index(i).AsFloat(); !ok || math.IsNaN(f) || math.IsInf(f, 0) {
			return "must hold only finite numbers; element " + strconv.Itoa(i) + " is none"
		}
	}
	return ""
}

// checkPlaces refuses also what the server stores elsewhere than it was told.
func (a *Arg) checkPlaces(v value.Value) string {
	if v.Kind() != value.KindArray {
		return mustBe("a list of (latitude, longitude, member)", v)
	}
	if a.NonEmpty && v.Len() == 0 {
		return "must not be empty"
	}
	for i := range v.Len() {
		p := v.Index(i)
		if p.Kind() != value.KindArray || p.Len() != 3 {
			return "must hold only (latitude, longitude, member); element " + strconv.Itoa(i) + " is not one"
		}
		lat, okLat := p.Index(0).AsFloat()
		lon, okLon := p.Index(1).AsFloat()
		_, okMember := p.Index(2).AsBlob()
		switch {
		case !okLat || !(lat >= -90 && lat <= 90):
			return "element " + strconv.Itoa(i) + ": the latitude, which comes first, must be a number from -90 to 90"
		case !okLon || !(lon >= -180 && lon <= 180):
			return "element " + strconv.Itoa(i) + ": the longitude must be a number from -180 to 180"
		case wrapsLongitude(lon):
			return "element " + strconv.Itoa(i) + ": write longitude 180 as -180: the server mixes 180 into the latitude"
		case !okMember:
			return "element " + strconv.Itoa(i) + ": the member must be text or bytes, not " + p.Index(2).Kind().String()
		}
	}
	return ""
}

// onlyText refuses members that are neither text nor bytes: the envelope wants text.
func onlyText(v value.Value) string {
	if v.Kind() != value.KindArray {
		v = value.Array(v)
	}
	for i := range v.Len() {
		if _, ok := v.Index(i).AsBlob(); !ok {
			return mustBe("text", v.Index(i))
		}
	}
	return ""
}

// elements refuses what the server refuses of a HyperLogLog's elements.
func elements(v value.Value) string {
	for i := range v.Len() {
		e := v.Index(i)
		if _, isBytes := e.AsByteArray(); e.IsNil() || (e.Kind() == value.KindArray && !isBytes) {
			return "must hold neither null nor lists of other numbers than bytes"
		}
	}
	return ""
}

// someElements refuses an empty list, the elements of which may be "".
func someElements(v value.Value) string {
	if v.Len() == 0 {
		return "must not be empty"
	}
	return ""
}

// bit refuses all but 0 and 1: the native wires take the lowest bit of any number.
func bit(v value.Value) string {
	if n, _ := v.AsInt(); n < 0 || n > 1 {
		return "must be 0 or 1"
	}
	return ""
}

func mustBe(what string, v value.Value) string {
	return "must be " + what + ", not " + v.Kind().String()
}

// checkJSON refuses what JSON cannot carry.
func checkJSON(v value.Value, depth int) string {
	if depth > maxJSONDepth {
		return "is nested deeper than " + strconv.Itoa(maxJSONDepth) + " levels"
	}
	switch v.Kind() {
	case value.KindBytes:
		return "is a JSON value and cannot hold bytes; encode them as text"
	case value.KindStr:
		if s, _ := v.AsStr(); !utf8.ValidString(s) {
			return "must be valid UTF-8"
		}
	case value.KindFloat:
		if f, _ := v.AsFloat(); math.IsNaN(f) || math.IsInf(f, 0) {
			return "is a JSON value and cannot hold NaN or an infinity"
		}
	case value.KindArray:
		if _, packed := v.AsByteArray(); packed {
			return ""
		}
		for i := 0; i < v.Len(); i++ {
			if wrong := checkJSON(v.Index(i), depth+1); wrong != "" {
				return wrong
			}
		}
	case value.KindMap:
		for i := 0; i < v.Len(); i++ {
			k, e := v.Pair(i)
			name, ok := k.AsStr()
			if !ok {
				return "is a JSON value: the keys of its maps must be text"
			}
			if !utf8.ValidString(name) {
				return "must be valid UTF-8"
			}
			if wrong := checkJSON(e, depth+1); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

// maxJSONDepth leaves room for the levels round the value: the server refuses
// bodies nested deeper than some 128 levels (protocol: http-messaging 1).
const maxJSONDepth = 100
