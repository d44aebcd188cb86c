package command

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// stricter are arguments that an entry requires although the server does not: a
// method of its own is made for them, or their defaults would remove everything.
var stricter = strings.Fields("kv.incrby.amount kv.decrby.amount hash.delete.field hash.mdel.fields list.lpop_many.count list.rpop_many.count " +
	"sortedset.zremrangebyrank.start sortedset.zremrangebyrank.stop script.exists.hashes " +
	"geospatial.geosearch_box.lat geospatial.geosearch_box.lon geospatial.geosearch_box.width geospatial.geosearch_box.height " +
	"geospatial.geosearch_box_by_member.member geospatial.geosearch_box_by_member.width geospatial.geosearch_box_by_member.height " +
	"geospatial.geosearch.lat geospatial.geosearch.lon geospatial.geosearch.radius " +
	"geospatial.geosearch_by_member.member geospatial.geosearch_by_member.radius transaction.hash_delete.fields")

// queueConfig are the members of config that queue.create knows.
var queueConfig = "max_depth ack_deadline_secs default_max_retries default_priority prefetch_limit"

func each(f func(c *Command)) {
	for _, family := range Families {
		for i := range family.Commands {
			f(&family.Commands[i])
		}
	}
}

func TestEveryServerCommandHasAnEntry(t *testing.T) {
	covered := map[string]bool{}
	each(func(c *Command) {
		for _, name := range c.ServerNames() {
			covered[name] = true
		}
	})
	for name := range serverCommands {
		family, _, _ := strings.Cut(name, ".")
		if slices.ContainsFunc(Families, func(f *Family) bool { return f.Name == family }) && !covered[name] {
			t.Errorf("no entry for %s", name)
		}
	}
}

var lowerSnake = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func TestEntriesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, family := range Families {
		if family.Doc == "" || !lowerSnake.MatchString(family.Name) {
			t.Errorf("family %q needs a name and a doc", family.Name)
		}
		for i := range family.Commands {
			c := &family.Commands[i]
			fail := func(what string) { t.Errorf("%s: %s", c.Name, what) }
			if seen[c.Name] {
				fail("is there twice")
			}
			seen[c.Name] = true
			if c.Family() != family.Name || !lowerSnake.MatchString(c.Method()) {
				fail("is not family.method")
			}
			if Lookup(c.Name) != c {
				fail("is not found by its name")
			}
			if !strings.HasSuffix(c.Summary, ".") || strings.Contains(c.Summary, "\n") {
				fail("needs a summary of one sentence")
			}
			if c.Doc != "" && !strings.HasSuffix(c.Doc, ".") {
				fail("its doc is no sentence")
			}
			if !strings.Contains(c.Example, "client."+c.Name+"(") {
				fail("its example does not call it")
			}
			if (c.Reply.Record != nil) != slices.Contains([]ReplyKind{ReplyRecord, ReplyRecordOrNil, ReplyRecords, ReplyMaybeRecords, ReplyStream}, c.Reply.Kind) {
				fail("a record belongs to replies of records, and only there")
			}
			optional := false
			names := map[string]bool{}
			for j := range c.Args {
				a := &c.Args[j]
				if names[a.Name] || !lowerSnake.MatchString(a.Name) || a.Doc == "" || a.Type == 0 {
					fail("argument " + a.Name + " needs a name of its own, a type and a doc")
				}
				names[a.Name] = true
				if a.Required && optional {
					fail("argument " + a.Name + " is required after an optional one")
				}
				optional = optional || !a.Required
				if a.Min > a.Max {
					fail("argument " + a.Name + " has its bounds the wrong way round")
				}
				if a.Default != "" && a.Required {
					fail("argument " + a.Name + " is required and has a default")
				}
				if n, err := strconv.ParseInt(a.Default, 10, 64); a.Type == Int && a.Default != "" && (err != nil || (a.Max != 0 && (n < a.Min || n > a.Max))) {
					fail("argument " + a.Name + " has a default that it refuses")
				}
				if a.Type == Bool && a.Default != "true" && a.Default != "false" {
					fail("argument " + a.Name + " is a flag without default")
				}
				if slices.Contains([]Type{StringOrNil, BlobOrNil, IntOrNil}, a.Type) {
					fail("argument " + a.Name + " has a type for fields")
				}
			}
		}
	}
	if Lookup("kv.nope") != nil || Lookup("") != nil {
		t.Error("Lookup finds what is not there")
	}
}

func TestRecordsAreComplete(t *testing.T) {
	each(func(c *Command) {
		r := c.Reply.Record
		if r == nil {
			return
		}
		if r.Doc == "" || r.Name == "" {
			t.Errorf("%s: the record needs a name and a doc", c.Name)
		}
		names := map[string]bool{}
		for i := range r.Fields {
			f := &r.Fields[i]
			if names[f.Name] || !lowerSnake.MatchString(f.Name) || f.Doc == "" || f.Type == 0 {
				t.Errorf("%s: field %s needs a name of its own, a type and a doc", c.Name, f.Name)
			}
			names[f.Name] = true
		}
		// What is pushed ends with the count of what was lost before it. Messages of
		// a queue are never lost: they come back at their deadline.
		last := r.Fields[len(r.Fields)-1]
		if c.Reply.Kind == ReplyStream && c.Family() != "queue" && (last.Name != "lost" || last.Path != "-" || last.Type != Int) {
			t.Errorf("%s: the last field must be lost", c.Name)
		}
	})
}

func TestHTTPFormsFollowTheProtocol(t *testing.T) {
	each(func(c *Command) {
		check := func(h *HTTP) {
			fail := func(what string) { t.Errorf("%s: %s", c.Name, what) }
			switch h.Shape {
			case Envelope, Each:
				members, known := serverCommands[h.Command]
				if !known {
					fail("the server has no command " + h.Command)
				}
				if h.Shape == Each {
					if a := c.Args[0]; a.Type != Pairs && a.Type != StringList {
						fail("its first argument is no list")
					}
					return
				}
				sent := map[string]bool{}
				for i := range c.Args {
					a := &c.Args[i]
					member, inner, nested := strings.Cut(a.Wire(), ".")
					member, _, _ = strings.Cut(member, "[")
					if member == "-" {
						continue
					}
					sent[member] = sent[member] || a.Required
					// kv.set takes its conditions over REST.
					if slices.Contains(h.When, a.Name) {
						continue
					}
					list := strings.Fields(members)
					if !slices.Contains(list, member) && !slices.Contains(list, member+"?") {
						fail("the payload has no member " + member)
					}
					if nested && !slices.Contains(strings.Fields(queueConfig), inner) {
						fail("config has no member " + inner)
					}
					if slices.Contains(list, member+"?") && a.Required && a.Name != "client_id" && !slices.Contains(stricter, c.Name+"."+a.Name) {
						fail(a.Name + " is optional for the server")
					}
				}
				for _, member := range strings.Fields(members) {
					if !strings.HasSuffix(member, "?") && !sent[member] {
						fail("nothing required is sent as " + member)
					}
				}
			case REST:
				if h.Method == "" || !strings.HasPrefix(h.Path, "/") || strings.HasSuffix(h.Path, "/") {
					fail("a REST form needs method and path")
				}
				for _, hole := range regexp.MustCompile(`\{[^}]*\}`).FindAllString(h.Path, -1) {
					if i := slices.IndexFunc(c.Args, func(a Arg) bool { return "{"+a.Name+"}" == hole }); i < 0 || c.Args[i].Type != String || !c.Args[i].Required {
						fail(hole + " in the path is no required text argument")
					}
				}
			case Script:
				if h.Script == "" || h.Command != "script.eval" {
					fail("a script form needs a script")
				}
			case Push:
				if c.Reply.Kind != ReplyStream || (h.Path == "") == (h.Command == "") {
					fail("a push form needs either a path or a command to poll")
				}
			}
			if c.Reply.Kind == ReplyStream && h.Shape != Push {
				fail("a subscription needs a push form")
			}
			if h.Check != "" && serverCommands[h.Check] == "" {
				fail("the server has no command " + h.Check)
			}
		}
		check(&c.HTTP)
		if (c.HTTP.Alt == nil) != (c.HTTP.When == nil) {
			t.Errorf("%s: When and Alt go together", c.Name)
		}
		if c.HTTP.Alt != nil {
			check(c.HTTP.Alt)
		}
		for _, name := range c.HTTP.When {
			if i := slices.IndexFunc(c.Args, func(a Arg) bool { return a.Name == name }); i < 0 || c.Args[i].Type != Bool {
				t.Errorf("%s: When names %s, which is no flag", c.Name, name)
			}
		}
	})
}

func TestNativeFormsNameExistingArguments(t *testing.T) {
	replies := strings.Fields("ok int int>0 bool bytes part string list map ttl scan created unknown matched message events kvstats push found length float json results queued bools " +
		"score scored changed latlon-hits lonlat-hits latlon-points lonlat-points")
	each(func(c *Command) {
		for _, n := range []*Native{c.RPC, c.RESP3} {
			if n == nil {
				continue
			}
			// That the words of Args name arguments is checked when the table is read.
			if f := FormOf(n); n.Name == "" || n.Name != strings.ToUpper(n.Name) || !slices.Contains(replies, f.Kind) {
				t.Errorf("%s: native form %+v", c.Name, *n)
			}
			if strings.Count(n.Args, "[") != strings.Count(n.Args, "]") || strings.Count(n.Args, `"`)%2 != 0 {
				t.Errorf("%s: the form of %s does not close what it opens", c.Name, n.Name)
			}
		}
	})
}

// Repeating one of these could do twice what was asked for once, or report the
// first attempt as the obstacle.
func TestOnlyWhatMayBeRepeatedIsRepeated(t *testing.T) {
	setReads := "set.ismember set.members set.card set.size set.randmember set.inter set.interstore set.union set.diff set.stats " +
		"sortedset.zscore sortedset.zmscore sortedset.zrange sortedset.zrevrange sortedset.zrangebyscore sortedset.zrank sortedset.zrevrank sortedset.zcard sortedset.zcount sortedset.stats " +
		"bitmap.getbit bitmap.bitcount bitmap.bitpos bitmap.stats hyperloglog.pfcount hyperloglog.stats " +
		"geospatial.geopos geospatial.geodist geospatial.geohash geospatial.georadius geospatial.georadiusbymember geospatial.geosearch geospatial.stats"
	moreReads := " key.type key.exists key.randomkey hash.get hash.getall hash.exists hash.len hash.keys hash.vals hash.mget hash.stats " +
		"list.lrange list.range list.llen list.len list.lindex list.index list.lpos list.stats script.exists"
	repeatable := strings.Fields("kv.set kv.get kv.exists kv.mset kv.mget kv.getrange kv.setrange kv.strlen kv.expire kv.persist kv.ttl kv.scan kv.keys kv.dbsize kv.stats " +
		"queue.create queue.stats queue.list stream.consume stream.stats stream.list pubsub.topics pubsub.info pubsub.stats " + setReads + " hyperloglog.pfmerge" +
		moreReads + " hash.mset list.lset list.set script.load script.kill transaction.unwatch")
	readOnly := strings.Fields("kv.get kv.exists kv.mget kv.getrange kv.strlen kv.ttl kv.scan kv.keys kv.dbsize kv.stats " +
		"queue.stats queue.list stream.stats stream.list pubsub.topics pubsub.info pubsub.stats " + setReads + moreReads)
	for name := range serverCommands {
		if family, _, _ := strings.Cut(name, "."); !slices.ContainsFunc(Families, func(f *Family) bool { return f.Name == family }) {
			continue
		}
		if got, want := Repeatable(name), slices.Contains(repeatable, name); got != want {
			t.Errorf("%s: repeatable %v", name, got)
		}
		if got, want := ReadOnly(name), slices.Contains(readOnly, name); got != want {
			t.Errorf("%s: read only %v", name, got)
		}
	}
	for _, name := range []string{"", "kv.nope", "KV.GET"} {
		if Repeatable(name) || ReadOnly(name) {
			t.Errorf("%q is outside the table and counts as harmless", name)
		}
	}
}
