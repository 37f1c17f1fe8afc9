import assert from "node:assert/strict";
import { DataError } from "../../../env/errors.ts";
import { printPythonJson } from "../../../env/python/python_json.ts";
import { parseToml } from "../../../env/python/toml.ts";

Deno.test("parseToml() distinguishes ints from floats and keeps the order of tables", () => {
  const text = `
z = 1
a = 2.0
big = 9007199254740993
small = -0.0
none = []
[table.inner]
text = "é \\" x"
yes = true
day = 2025-01-20
[[rows]]
id = "b"
[[rows]]
id = "a"
`;
  assert.equal(
    printPythonJson(parseToml(text)),
    `{"z": 1, "a": 2.0, "big": 9007199254740993, "small": -0.0, "none": [], ` +
      `"table": {"inner": {"text": "\\u00e9 \\" x", "yes": true, "day": "2025-01-20"}}, ` +
      `"rows": [{"id": "b"}, {"id": "a"}]}`,
  );
});

Deno.test("parseToml() reports file, line and column of an error", () => {
  assert.throws(
    () => parseToml('a = 1\nb = "x', { path: "db.toml" }),
    (error) =>
      error instanceof DataError && error.path === "db.toml" &&
      error.message.includes('"db.toml"') && error.message.includes("line 2"),
  );
});
