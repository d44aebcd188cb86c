package testserver

import "testing"

// TestSetRoutes: counts come from the query, and the routes that combine sets
// take any JSON.
func TestSetRoutes(t *testing.T) {
	const noKeys = `{"code":400,"error":"Invalid request: Missing 'keys' array"}`
	play(t, start(t, Config{}), []restStep{
		{"POST", "/set/a%2Fb/add", `{"members":["x",1,null,"x"]}`, 200, `{"added":3,"key":"a/b"}`},
		{"GET", "/set/a%2Fb/members", "", 200, `{"members":["x",1,null],"key":"a/b"}`},
		{"GET", "/set/a%2Fb/card", "", 200, `{"count":3,"key":"a/b"}`},
		{"POST", "/set/a%2Fb/pop?count=0", "", 200, `{"members":[],"key":"a/b"}`},
		{"POST", "/set/a%2Fb/pop?count=-1", `{"count":3}`, 200, `{"members":["x"],"key":"a/b"}`},
		{"POST", "/set/a%2Fb/ismember", `{"member":null}`, 200, `{"is_member":true,"key":"a/b"}`},
		{"POST", "/set/a%2Fb/ismember", `{}`, 422, unreadable + "missing field `member` at line 1 column 2"},
		{"POST", "/set/a%2Fb/add", `{"members":5}`, 422, unreadable + "members: invalid type: integer `5`, expected a sequence at line 1 column 12"},
		{"POST", "/set/union", `{"keys":["a/b",5,"none"]}`, 200, `{"members":[1,null]}`},
		{"POST", "/set/union", `[]`, 400, noKeys},
		{"POST", "/set/diff", `5`, 400, noKeys},
		{"GET", "/set/stats/card", "", 404, `{"code":404,"error":"Not found"}`},
	})
}

// TestSortedsetRoutes: members in bodies are stored with their quotes, members in
// ranges are byte arrays, and JSON has no infinities.
func TestSortedsetRoutes(t *testing.T) {
	const misfit = unreadable + "data did not match any variant of untagged enum ZAddRequest"
	play(t, start(t, Config{}), []restStep{
		{"POST", "/sortedset/z/zadd", `{"members":["é",{"b":1,"a":2}],"scores":[1,-0.5]}`, 200, `{"added":2,"key":"z"}`},
		{"GET", "/sortedset/z/zrange?start=0&stop=0", "", 200, `{"members":[{"member":[123,34,97,34,58,50,44,34,98,34,58,49,125],"score":-0.5}],"key":"z"}`},
		{"GET", "/sortedset/z/zrevrange?start=x&stop=0", "", 200, `{"members":[{"member":[34,195,169,34],"score":1.0}],"key":"z"}`},
		{"GET", "/sortedset/z/%22%C3%A9%22/zrank", "", 200, `{"rank":1,"key":"z","member":"\"é\""}`},
		{"GET", "/sortedset/z/zrange/zscore", "", 200, `{"score":null,"key":"z","member":"zrange"}`},
		{"GET", "/sortedset/z/zcount?min=0x1&max=1e0", "", 200, `{"count":2,"key":"z"}`},
		{"GET", "/sortedset/z/zcount?min=2&max=1", "", 400, `{"code":400,"error":"Invalid request: min must not be above max"}`},
		{"POST", "/sortedset/z/zadd", `{"member":"é","score":1,"nx":null}`, 422, misfit},
		{"POST", "/sortedset/z/zadd", `{"members":["a"],"scores":["1"]}`, 422, misfit},
		{"POST", "/sortedset/z/zadd", `5`, 422, misfit},
		{"POST", "/sortedset/z/zadd", `{"member":null,"score":3,"xx":true}`, 200, `{"added":0,"key":"z"}`},
		{"POST", "/sortedset/z/zincrby", `{"member":5,"score":1e308}`, 200, `{"score":1e+308,"key":"z"}`},
		{"POST", "/sortedset/z/zincrby", `{"member":5,"score":1e308}`, 200, `{"score":null,"key":"z"}`},
		{"POST", "/sortedset/z/zmscore", `{"members":[5,"5"]}`, 200, `{"scores":[null,null],"key":"z"}`},
		{"POST", "/sortedset/z/zpopmax?count=1", "", 200, `{"members":[{"member":[53],"score":null}],"count":1,"key":"z"}`},
		{"POST", "/sortedset/zunionstore", `{"destination":"d","keys":["z","none"],"weights":null}`, 200, `{"count":2,"destination":"d"}`},
		{"POST", "/sortedset/zunionstore", `{"destination":"d","keys":["z"],"weights":[]}`, 400, `{"code":400,"error":"Invalid request: weights must hold a number for each key"}`},
	})
}
