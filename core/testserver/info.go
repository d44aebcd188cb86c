package testserver

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/libsynap/libsynap/core/engine"
	"github.com/libsynap/libsynap/core/value"
)

// serverCommands are the commands that ask about the server and not about its
// data: the engine has no process and no connections (protocol: http-data 13).
var serverCommands = map[string]func(s *Server, payload value.Value) value.Value{
	"info":          (*Server).info,
	"client.list":   func(s *Server, _ value.Value) value.Value { return s.clients.report() },
	"slowlog.get":   func(*Server, value.Value) value.Value { return object("entries", value.Array(), "total", 0) },
	"slowlog.reset": func(*Server, value.Value) value.Value { return object("success", true, "cleared", 0) },
}

// exec runs a command.
func (s *Server) exec(face engine.Face, name, requestID string, payload value.Value) (value.Value, string) {
	if run := serverCommands[name]; run != nil {
		return run(s, payload), ""
	}
	reply, errText := s.engine.Exec(now(), face, name, requestID, payload)
	s.native.Changed()
	return reply, errText
}

// info describes the server, whole or one section of it; an unknown section is
// the whole.
func (s *Server) info(payload value.Value) value.Value {
	kv := s.stats("kv")
	ops := kv.Field("operations")
	var processed int64
	for _, name := range []string{"gets", "sets", "dels"} {
		n, _ := ops.Field(name).AsInt()
		processed += n
	}
	keys := int64(0)
	for _, v := range []value.Value{kv.Field("total_keys"), s.stats("list").Field("total_lists"), s.stats("set").Field("total_sets"), s.stats("sortedset").Field("total_keys")} {
		n, _ := v.AsInt()
		keys += n
	}
	memory, _ := kv.Field("total_memory_bytes").AsInt()
	executable, _ := os.Executable()
	up := int(time.Since(s.started).Seconds())
	all := object(
		"server", object("redis_version", version, "redis_git_sha1", "", "redis_git_dirty", "0", "redis_build_id", "testserver", "redis_mode", "standalone",
			"os", "linux", "arch_bits", "64", "multiplexing_api", "tokio", "process_id", os.Getpid(), "run_id", s.runID, "tcp_port", 15500,
			"uptime_in_seconds", up, "uptime_in_days", up/86400, "hz", 10, "executable", executable, "config_file", "config.yml"),
		"memory", object("used_memory", value.Int(memory), "used_memory_human", engine.HumanBytes(memory), "used_memory_rss", value.Int(memory), "used_memory_peak", value.Int(memory),
			"used_memory_peak_human", engine.HumanBytes(memory), "mem_fragmentation_ratio", value.Float(1), "mem_allocator", "jemalloc"),
		"stats", object("total_connections_received", 0, "total_commands_processed", value.Int(processed), "instantaneous_ops_per_sec", 0,
			"keyspace_hits", ops.Field("hits"), "keyspace_misses", ops.Field("misses"), "pubsub_channels", 0, "pubsub_patterns", 0),
		"replication", object("role", "master", "connected_slaves", 0, "master_repl_offset", 0, "repl_backlog_active", 0, "repl_backlog_size", 0),
		"keyspace", object("db0", fmt.Sprintf("keys=%d,expires=0,avg_ttl=0", keys)),
		"cluster", object("cluster_enabled", 0))
	section, _ := payload.Field("section").AsStr()
	section = strings.ToLower(section)
	if part, ok := all.Get(section); ok {
		return object(section, part)
	}
	return all
}

// stats returns the statistics of one family, nil where it has none.
func (s *Server) stats(family string) value.Value {
	reply, _ := s.engine.Exec(now(), engine.Raw, family+".stats", "", value.Map())
	return reply
}
