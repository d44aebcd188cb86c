package testserver

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

const (
	maxParams = 3 // no route has more
	maxFields = 8 // no body has more members
)

// families are the routes of the server, one table for each family. To add a
// family, write its table and its handlers in a file and name the table here.
var families = [][]route{
	envelopeRoutes, kvRoutes, keyRoutes, hashRoutes, listRoutes, setRoutes, sortedsetRoutes, bitmapRoutes, hllRoutes, geoRoutes, scriptRoutes, transactionRoutes, queueRoutes, streamRoutes, pubsubRoutes, topicRoutes, groupRoutes,
	authRoutes, opsRoutes, clusterRoutes, agentRoutes, websocketRoutes,
}

var routes = newRouter(families)

// route is one method of one path.
type route struct {
	method string // "" takes any
	path   string // {name} is a text of any form, {name:u64} or {name:i64} a number
	body   *shape // nil: the request's body is ignored
	needs  string // "action resource", "" for any credential; {name} in it is a parameter or member
	run    func(*request)

	params   []param
	action   action
	resource string
}

type param struct {
	name, kind string
	bits       int // of a number, 0 for text
}

// whichParam names parameter i in the text of a refusal.
func (r *route) whichParam(i int) string {
	if len(r.params) == 1 {
		return ""
	}
	return "value at index " + strconv.Itoa(i) + " with value "
}

// node is a segment of the tree of paths.
type node struct {
	fixed map[string]*node
	param *node
	here  []*route // the routes whose path ends here
	allow string
}

func newRouter(families [][]route) *node {
	root := &node{}
	for _, family := range families {
		for i := range family {
			root.add(&family[i])
		}
	}
	return root
}

func (n *node) add(r *route) {
	for segment := range strings.SplitSeq(r.path[1:], "/") {
		inner, isParam := strings.CutPrefix(segment, "{")
		if !isParam {
			if n.fixed == nil {
				n.fixed = map[string]*node{}
			}
			if n.fixed[segment] == nil {
				n.fixed[segment] = &node{}
			}
			n = n.fixed[segment]
			continue
		}
		p := param{}
		p.name, p.kind, _ = strings.Cut(strings.TrimSuffix(inner, "}"), ":")
		if p.kind != "" {
			p.bits, _ = strconv.Atoi(p.kind[1:])
		}
		r.params = append(r.params, p)
		if n.param == nil {
			n.param = &node{}
		}
		n = n.param
	}
	if r.needs != "" {
		word, resource, _ := strings.Cut(r.needs, " ")
		r.action, r.resource = parseAction(word), resource
		if r.action.String() != word {
			panic(fmt.Sprintf("route %s needs an unknown action %q", r.path, word))
		}
	}
	n.here = append(n.here, r)
	method := r.method
	if method == "GET" {
		method = "GET,HEAD"
	}
	if n.allow != "" {
		n.allow += ","
	}
	n.allow += method
}

// find returns the node of a path and leaves its parameters in params. A fixed
// segment goes before a parameter (protocol: queue quirks, the queue `list`); an
// empty segment is nothing's parameter.
func (n *node) find(path []byte, params *[maxParams][]byte) *node {
	if len(path) == 0 || path[0] != '/' {
		return nil
	}
	return n.walk(path[1:], params, 0)
}

func (n *node) walk(path []byte, params *[maxParams][]byte, depth int) *node {
	segment, rest := path, []byte(nil)
	last := true
	if i := bytes.IndexByte(path, '/'); i >= 0 {
		segment, rest, last = path[:i], path[i+1:], false
	}
	if next := n.fixed[string(segment)]; next != nil {
		if found := next.end(rest, params, depth, last); found != nil {
			return found
		}
	}
	if n.param == nil || len(segment) == 0 {
		return nil
	}
	params[depth] = segment
	return n.param.end(rest, params, depth+1, last)
}

func (n *node) end(rest []byte, params *[maxParams][]byte, depth int, last bool) *node {
	if !last {
		return n.walk(rest, params, depth)
	}
	if n.here == nil {
		return nil
	}
	return n
}

// route returns the route of a method. HEAD is GET without the body.
func (n *node) route(method []byte) *route {
	if string(method) == "HEAD" {
		method = []byte("GET")
	}
	for _, r := range n.here {
		if r.method == string(method) || r.method == "" {
			return r
		}
	}
	return nil
}
