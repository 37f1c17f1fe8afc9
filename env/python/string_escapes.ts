/**
 * Python's single-character escapes: maps the character after the backslash to the character that the escape
 * represents.
 */
export const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
