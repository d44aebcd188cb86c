package engine

import (
	"strconv"
	"strings"

	"github.com/libsynap/libsynap/core/value"
)

// Scripts runs Lua for the engine, which has no interpreter itself: package
// core/engine/lua implements it for native programs.
type Scripts interface {
	// SHA1 returns the lower-case hex SHA-1 of a script.
	SHA1(script string) string
	// Run runs a script and returns its result, or an error text as the server
	// words it. It must not keep run.
	Run(run *ScriptRun) (value.Value, string)
}

// ScriptRun is one run of a script. The engine is locked meanwhile: the script
// sees and makes all its changes at one moment, and must end in time.
type ScriptRun struct {
	Script        string
	Keys, Args    []string
	TimeoutMillis int64
	// Call is redis.call: the arguments are text, bytes, numbers, booleans or nil,
	// the reply is text, bytes, an integer, nil or an array of these. A failure
	// leaves the script as "runtime error: " and the error text.
	Call func(args []value.Value) (value.Value, string)
}

const (
	noScripts = "Internal error: scripting is not part of this build"
	// defaultScriptTimeout and maxScriptTimeout are in milliseconds.
	defaultScriptTimeout = 5000
	maxScriptTimeout     = 3600_000
)

// scriptStore is the script cache.
type scriptStore struct {
	runner  Scripts
	sources map[string]string // by SHA-1
}

var scriptCommands = family{
	{"script.eval", scriptEval}, {"script.evalsha", scriptEvalsha}, {"script.load", scriptLoad},
	{"script.exists", scriptExists}, {"script.flush", scriptFlush}, {"script.kill", scriptKill},
}

// SetScripts gives the engine an interpreter. Call it before the first command.
func (e *Engine) SetScripts(s Scripts) { e.scripts.runner = s }

func (s *scriptStore) load(script string) string {
	sha := s.runner.SHA1(script)
	if s.sources == nil {
		s.sources = map[string]string{}
	}
	s.sources[sha] = script
	return sha
}

// scriptTexts reads an optional array of what scripts see as text.
func (c *call) scriptTexts(field string) ([]string, string) {
	v, ok := c.payload.Get(field)
	if !ok {
		return nil, ""
	}
	if v.Kind() != value.KindArray {
		return nil, "Invalid request: " + field + " must be an array"
	}
	texts := make([]string, v.Len())
	for i := range texts {
		if e := v.Index(i); !e.IsNil() {
			texts[i] = rawText(e)
		}
	}
	return texts, ""
}

// scriptRun reads what the commands that run a script share.
func (c *call) scriptRun(e *Engine) (*ScriptRun, string) {
	run := &ScriptRun{TimeoutMillis: defaultScriptTimeout, Call: e.redisCall}
	var errText string
	if run.Keys, errText = c.scriptTexts("keys"); errText != "" {
		return nil, errText
	}
	if run.Args, errText = c.scriptTexts("args"); errText != "" {
		return nil, errText
	}
	if ms, ok := c.uint("timeout_ms"); ok {
		run.TimeoutMillis = int64(min(ms, maxScriptTimeout))
	}
	return run, ""
}

// runScript runs a cached script.
func (e *Engine) runScript(run *ScriptRun, sha string) (value.Value, string) {
	var ok bool
	if run.Script, ok = e.scripts.sources[sha]; !ok {
		return value.Nil, "Invalid request: NOSCRIPT " + sha
	}
	result, errText := e.scripts.runner.Run(run)
	return object(value.Str("result"), result, value.Str("sha1"), value.Str(sha)), errText
}

func scriptEval(e *Engine, c *call) (value.Value, string) {
	if e.scripts.runner == nil {
		return value.Nil, noScripts
	}
	script, errText := c.str("script")
	if errText != "" {
		return value.Nil, errText
	}
	run, errText := c.scriptRun(e)
	if errText != "" {
		return value.Nil, errText
	}
	return e.runScript(run, e.scripts.load(script))
}

func scriptEvalsha(e *Engine, c *call) (value.Value, string) {
	if e.scripts.runner == nil {
		return value.Nil, noScripts
	}
	sha, errText := c.str("sha1")
	if errText != "" {
		return value.Nil, errText
	}
	run, errText := c.scriptRun(e)
	if errText != "" {
		return value.Nil, errText
	}
	return e.runScript(run, sha)
}

func scriptLoad(e *Engine, c *call) (value.Value, string) {
	if e.scripts.runner == nil {
		return value.Nil, noScripts
	}
	script, errText := c.str("script")
	if errText != "" {
		return value.Nil, errText
	}
	return member("sha1", value.Str(e.scripts.load(script))), ""
}

func scriptExists(e *Engine, c *call) (value.Value, string) {
	if e.scripts.runner == nil {
		return value.Nil, noScripts
	}
	hashes, errText := c.scriptTexts("hashes")
	if errText != "" {
		return value.Nil, errText
	}
	known := make([]value.Value, len(hashes))
	for i, sha := range hashes {
		_, ok := e.scripts.sources[sha]
		known[i] = value.Bool(ok)
	}
	return member("exists", value.Array(known...)), ""
}

func scriptFlush(e *Engine, c *call) (value.Value, string) {
	if e.scripts.runner == nil {
		return value.Nil, noScripts
	}
	n := len(e.scripts.sources)
	e.scripts.sources = nil
	return member("cleared", value.Int(int64(n))), ""
}

// scriptKill finds no script running, ever: it waits for its turn.
func scriptKill(e *Engine, c *call) (value.Value, string) {
	if e.scripts.runner == nil {
		return value.Nil, noScripts
	}
	return member("terminated", value.Bool(false)), ""
}

// redisFunc carries out one redis.call.
type redisFunc func(e *Engine, c *redisArgs) (value.Value, string)

// redisFuncs are what redis.call knows (protocol: http-data 11), with the least
// number of arguments. The commands of further stores go here.
var redisFuncs = map[string]struct {
	min int
	run redisFunc
}{
	"GET": {1, redisGet}, "SET": {2, redisSet}, "DEL": {1, redisDel}, "EXISTS": {1, redisExists},
	"INCR": {1, redisIncr}, "INCRBY": {1, redisIncr}, "DECR": {1, redisDecr}, "DECRBY": {1, redisDecr},
	"EXPIRE": {2, redisExpire}, "PERSIST": {1, redisPersist}, "TTL": {1, redisTTL},
	"HSET": {3, redisHset}, "HGET": {2, redisHget}, "HDEL": {2, redisHdel}, "HEXISTS": {2, redisHexists},
	"LPUSH": {2, redisLpush}, "RPUSH": {2, redisRpush}, "LPOP": {1, redisLpop}, "RPOP": {1, redisRpop}, "LLEN": {1, redisLlen},
	"SADD": {2, redisSadd}, "SREM": {2, redisSrem}, "SISMEMBER": {2, redisSismember}, "SCARD": {1, redisScard},
	"ZADD": {3, redisZadd}, "ZREM": {2, redisZrem}, "ZSCORE": {2, redisZscore}, "ZMSCORE": {2, redisZmscore}, "ZCARD": {1, redisZcard},
	"ZINCRBY": {3, redisZincrby}, "ZCOUNT": {3, redisZcount}, "ZRANK": {2, redisZrank}, "ZREVRANK": {2, redisZrevrank},
	"ZRANGE": {3, redisZrange}, "ZREVRANGE": {3, redisZrevrange}, "ZRANGEBYSCORE": {3, redisZrangebyscore},
	"ZPOPMIN": {1, redisZpopmin}, "ZPOPMAX": {1, redisZpopmax},
	"ZREMRANGEBYRANK": {3, redisZremrangebyrank}, "ZREMRANGEBYSCORE": {3, redisZremrangebyscore},
}

// redisCall is redis.call. The engine is locked already.
func (e *Engine) redisCall(args []value.Value) (value.Value, string) {
	if len(args) == 0 {
		return value.Nil, "redis.call requires a command name"
	}
	name := strings.ToUpper(redisBytes(args[0]))
	f, ok := redisFuncs[name]
	if !ok {
		return value.Nil, "redis.call does not support command " + name
	}
	if len(args)-1 < f.min {
		return value.Nil, name + " requires at least " + strconv.Itoa(f.min) + " argument(s)"
	}
	return f.run(e, &redisArgs{name: name, args: args[1:]})
}

// redisArgs are the arguments of one redis.call.
type redisArgs struct {
	name string
	args []value.Value
}

// redisBytes is an argument as bytes: booleans pass as 1 and 0, nil as nothing,
// 2.0 as 2.
func redisBytes(v value.Value) string {
	switch v.Kind() {
	case value.KindNil:
		return ""
	case value.KindBool:
		if b, _ := v.AsBool(); !b {
			return "0"
		}
		return "1"
	case value.KindFloat:
		f, _ := v.AsFloat()
		return plainFloat(f)
	}
	return rawText(v)
}

func (a *redisArgs) bytes(i int) string { return redisBytes(a.args[i]) }

// text is an argument as text: keys, fields and numbers.
func (a *redisArgs) text(i int) string { return strings.ToValidUTF8(a.bytes(i), "\uFFFD") }

// list returns the arguments from i on.
func (a *redisArgs) list(i int, as func(int) string) []string {
	var out []string
	for ; i < len(a.args); i++ {
		out = append(out, as(i))
	}
	return out
}

// int returns argument i, or def where there is none.
func (a *redisArgs) int(i int, def int64) (int64, string) {
	if i >= len(a.args) {
		return def, ""
	}
	n, err := strconv.ParseInt(a.text(i), 10, 64)
	if err != nil {
		return 0, a.name + " received non-integer argument: " + a.text(i)
	}
	return n, ""
}

// seconds returns argument i as a time to live.
func (a *redisArgs) seconds(i int) (uint64, string) {
	n, err := strconv.ParseUint(strings.TrimPrefix(a.text(i), "+"), 10, 64)
	if err != nil {
		return 0, a.name + " received non-unsigned-integer argument: " + a.text(i)
	}
	return n, ""
}

// flag is a boolean as redis.call replies it.
func flag(b bool) value.Value {
	if b {
		return value.Int(1)
	}
	return value.Int(0)
}

// taken is the reply of a pop: nothing is nil, one a bare string.
func taken(texts []string) value.Value {
	switch len(texts) {
	case 0:
		return value.Nil
	case 1:
		return value.TextOrBytes(texts[0])
	}
	items := make([]value.Value, len(texts))
	for i, t := range texts {
		items[i] = value.TextOrBytes(t)
	}
	return value.Array(items...)
}

func redisGet(e *Engine, a *redisArgs) (value.Value, string) {
	s, ok := e.kvRead(a.text(0))
	if !ok {
		return value.Nil, ""
	}
	return value.TextOrBytes(s), ""
}

func redisSet(e *Engine, a *redisArgs) (value.Value, string) {
	en := entry{val: a.bytes(1)}
	if len(a.args) > 2 {
		ttl, errText := a.seconds(2)
		if errText != "" {
			return value.Nil, errText
		}
		en.expires = e.expiry(ttl)
	}
	e.kvWrite(a.text(0), en)
	return value.Str("OK"), ""
}

func redisDel(e *Engine, a *redisArgs) (value.Value, string) {
	n := int64(0)
	for _, key := range a.list(0, a.text) {
		if e.kvDelete(key) {
			n++
		}
	}
	e.kv.dels += n
	return value.Int(n), ""
}

func redisExists(e *Engine, a *redisArgs) (value.Value, string) {
	n := int64(0)
	for _, key := range a.list(0, a.text) {
		if stringHolds(e, key) {
			n++
		}
	}
	return value.Int(n), ""
}

func redisIncr(e *Engine, a *redisArgs) (value.Value, string) { return e.redisAdd(a, false) }
func redisDecr(e *Engine, a *redisArgs) (value.Value, string) { return e.redisAdd(a, true) }

func (e *Engine) redisAdd(a *redisArgs, negate bool) (value.Value, string) {
	by, errText := a.int(1, 1)
	if errText != "" {
		return value.Nil, errText
	}
	n, errText := e.kvAddTo(a.text(0), by, negate)
	return value.Int(n), errText
}

func redisExpire(e *Engine, a *redisArgs) (value.Value, string) {
	ttl, errText := a.seconds(1)
	if errText != "" {
		return value.Nil, errText
	}
	return e.redisExpiry(a.text(0), e.expiry(ttl), "expire"), ""
}

func redisPersist(e *Engine, a *redisArgs) (value.Value, string) {
	return e.redisExpiry(a.text(0), 0, "persist"), ""
}

func (e *Engine) redisExpiry(key string, expires int64, event string) value.Value {
	en, ok := e.kvLive(key)
	if ok {
		en.expires = expires
		e.kv.put(key, en, false)
		e.changed(key, event, "", false)
	}
	return flag(ok)
}

// redisTTL answers -1 for a key without TTL and -2 for none.
func redisTTL(e *Engine, a *redisArgs) (value.Value, string) {
	switch en, ok := e.kv.keys[a.text(0)]; {
	case !ok:
		return value.Int(-2), ""
	case en.expires == 0:
		return value.Int(-1), ""
	default:
		return value.Int(max(en.expires-e.now, 0) / second), ""
	}
}

func redisHset(e *Engine, a *redisArgs) (value.Value, string) {
	return flag(e.hashes.set(a.text(0), a.text(1), a.bytes(2))), ""
}

func redisHget(e *Engine, a *redisArgs) (value.Value, string) {
	s, ok := e.hashes.get(a.text(0), a.text(1))
	if !ok {
		return value.Nil, ""
	}
	return value.TextOrBytes(s), ""
}

func redisHdel(e *Engine, a *redisArgs) (value.Value, string) {
	return value.Int(e.hashes.del(a.text(0), a.list(1, a.text))), ""
}

func redisHexists(e *Engine, a *redisArgs) (value.Value, string) {
	return flag(e.hashes.has(a.text(0), a.text(1))), ""
}

func redisLpush(e *Engine, a *redisArgs) (value.Value, string) {
	return value.Int(e.lists.push(a.text(0), a.list(1, a.bytes), opLpush)), ""
}

func redisRpush(e *Engine, a *redisArgs) (value.Value, string) {
	return value.Int(e.lists.push(a.text(0), a.list(1, a.bytes), opRpush)), ""
}

func redisLpop(e *Engine, a *redisArgs) (value.Value, string) { return e.redisPop(a, opLpop) }
func redisRpop(e *Engine, a *redisArgs) (value.Value, string) { return e.redisPop(a, opRpop) }

func (e *Engine) redisPop(a *redisArgs, op int) (value.Value, string) {
	n, errText := a.count(1)
	if errText != "" {
		return value.Nil, errText
	}
	texts, _ := e.lists.pop(a.text(0), n, op) // a missing list is nothing taken
	return taken(texts), ""
}

func redisLlen(e *Engine, a *redisArgs) (value.Value, string) {
	return value.Int(e.lists.length(a.text(0))), ""
}
