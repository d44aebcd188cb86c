package envelope

import "github.com/libsynap/libsynap/core/value"

// AppendReply appends the body with which a server answers a command. A reply that
// has no JSON form becomes a failure.
func AppendReply(dst []byte, requestID string, payload value.Value) []byte {
	start := len(dst)
	dst = append(dst, `{"success":true,"request_id":`...)
	dst, _ = value.AppendJSONStr(dst, requestID)
	dst = append(dst, `,"payload":`...)
	dst, err := value.AppendJSON(dst, payload)
	if err != nil {
		return AppendFailure(dst[:start], requestID, "Internal error: the reply has no JSON form")
	}
	return append(dst, `,"error":null}`...)
}

// AppendFailure appends the body with which a server answers a command that
// failed.
func AppendFailure(dst []byte, requestID, text string) []byte {
	dst = append(dst, `{"success":false,"request_id":`...)
	dst, _ = value.AppendJSONStr(dst, requestID)
	dst = append(dst, `,"payload":null,"error":`...)
	dst, _ = value.AppendJSONStr(dst, text)
	return append(dst, '}')
}
