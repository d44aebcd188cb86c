package engine_test

import "testing"

func TestKVVectors(t *testing.T)     { replay(t, "http-kv", nil) }
func TestQueueVectors(t *testing.T)  { replay(t, "http-queue", nil) }
func TestStreamVectors(t *testing.T) { replay(t, "http-stream", nil) }
func TestPubSubVectors(t *testing.T) { replay(t, "http-pubsub", nil) }
