// The code that does, in each language, what was clicked: a whole program that
// runs as it is. A call is {command, args}, with the arguments named as in the
// command table and the optional ones left out where they are not given.
import * as c from "./c.js";
import * as go from "./go.js";
import * as javascript from "./javascript.js";
import * as python from "./python.js";

export const languages = [
  { id: "python", name: "Python", ...python },
  { id: "javascript", name: "JavaScript", ...javascript },
  { id: "c", name: "C", ...c },
  { id: "go", name: "Go", ...go },
];

/**
 * Returns the program for a call. With secret the program takes the API key from
 * the environment, where all libraries look for it: a key never stands in code.
 */
export function program(language, { url, secret }, { command, args }) {
  const lines = language.calls[command](args);
  const note = secret ? "The API key comes from the environment variable SYNAP_API_KEY." : "";
  return language.wrap(url, note, lines) + "\n";
}
