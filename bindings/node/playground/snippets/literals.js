// Literals that several languages write alike.

/** A text in double quotes, with escapes that JavaScript, Python and Go share. */
export function quoted(text) {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** A list of texts, as Python and JavaScript write it. */
export const quotedList = (texts) => "[" + texts.map(quoted).join(", ") + "]";

/** Those of names that args has, as [name, value]. */
export const given = (args, names) => names.filter((name) => args[name] !== undefined).map((name) => [name, args[name]]);
