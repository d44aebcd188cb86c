package testserver

import (
	"fmt"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// metricsPage answers the metrics that a server always shows (protocol:
// auth-and-ops 4). Only kv is accounted; what the system does not tell is 0.
func metricsPage(r *request) {
	kvBytes, _ := r.server.stats("kv").Field("total_memory_bytes").AsInt()

	var b strings.Builder
	gauge := func(name, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name) }
	gauge("synap_datatype_memory_bytes", "Memory of the values of each datatype")
	for _, datatype := range []string{"hash", "kv", "list", "queue", "set", "sorted_set", "stream"} {
		n := int64(0)
		if datatype == "kv" {
			n = kvBytes
		}
		fmt.Fprintf(&b, "synap_datatype_memory_bytes{datatype=%q} %d\n", datatype, n)
	}
	gauge("synap_host_load_average", "Load average of the host times 100")
	for i, window := range []string{"1m", "5m", "15m"} {
		fmt.Fprintf(&b, "synap_host_load_average{window=%q} %d\n", window, int64(100*hostLoad(i)))
	}
	gauge("synap_host_memory_bytes", "Memory of the host")
	total, available := hostMemory("MemTotal:"), hostMemory("MemAvailable:")
	fmt.Fprintf(&b, "synap_host_memory_bytes{type=\"total\"} %d\nsynap_host_memory_bytes{type=\"used\"} %d\n", total, total-available)
	gauge("synap_process_cpu_usage_percent", "CPU of the process over its life")
	fmt.Fprintf(&b, "synap_process_cpu_usage_percent %d\n", processCPU())
	gauge("synap_process_memory_bytes", "Memory of the process")
	fmt.Fprintf(&b, "synap_process_memory_bytes{type=\"heap\"} %d\n", heapBytes())
	r.ctx.SetContentType("text/plain; version=0.0.4")
	r.ctx.SetBodyString(b.String())
}

// hostLoad returns one of the three load averages.
func hostLoad(i int) float64 {
	text, _ := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); len(fields) > i {
		load, _ := strconv.ParseFloat(fields[i], 64)
		return load
	}
	return 0
}

// hostMemory returns one line of the host's memory table in bytes.
func hostMemory(name string) int64 {
	text, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			kb, _ := strconv.ParseInt(fields[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

var processStarted = time.Now()

// processCPU is the share of one core that the process has used so far, in percent.
func processCPU() int64 {
	sample := []metrics.Sample{{Name: "/cpu/classes/user:cpu-seconds"}}
	metrics.Read(sample)
	return int64(100 * sample[0].Value.Float64() / max(time.Since(processStarted).Seconds(), 1))
}
