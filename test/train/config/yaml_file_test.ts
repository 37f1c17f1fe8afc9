import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError } from "../../../env/errors.ts";
import { Yaml } from "../../../train/config/yaml_file.ts";

function refusal(text: string): string {
  try {
    new Yaml({ name: "r.yaml", text }, "the recipe");
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: "the file was taken" });
}

Deno.test("Yaml returns plain values and the lines of keys", () => {
  const yaml = new Yaml(
    { name: "r.yaml", text: "a: 1\nb:\n  c: [2]\n" },
    "the recipe",
  );
  assert.deepEqual(yaml.value, { a: 1, b: { c: [2] } });
  assert.equal(yaml.lineOf(["b", "c"]), 3);
  assert.equal(yaml.lineOf(["b", "d"]), 2);
  assert.equal(yaml.lineOf(["e"]), undefined);
  assert.equal(yaml.has(["b", "c"]), true);
  assert.equal(yaml.has(["b", "d"]), false);
});

Deno.test("Yaml rejects aliases that expand too far, are circular or have no anchor", () => {
  const bomb = Array.from(
    { length: 40 },
    (_, i) =>
      `a${i}: &a${i} ${i === 0 ? "[1, 1]" : `[*a${i - 1}, *a${i - 1}]`}`,
  ).join("\n");
  assert.match(refusal(bomb), /^r\.yaml: the recipe cannot be read: .*alias/);
  assert.match(
    refusal("a: &a { b: *a }"),
    /an alias refers to a node that contains it/,
  );
  assert.match(
    refusal("a: &a [*a, *a, *a]"),
    /an alias refers to a node that contains it/,
  );
  assert.match(refusal("a: *nowhere"), /cannot be read: .*nowhere/);
});

Deno.test("Yaml rejects text that is too long or nested too deeply, with the place if there is one", () => {
  assert.match(
    refusal("x".repeat((1 << 20) + 1)),
    /more than the maximum of 1048576/,
  );
  assert.match(refusal("{a: ".repeat(65) + "1" + "}".repeat(65)), /64 levels/);
  assert.match(
    refusal("[".repeat(20_000)),
    /^r\.yaml:1:\d+: the recipe is not YAML/,
  );
  assert.match(refusal("a: 1\na: 2"), /^r\.yaml:2:1: the recipe is not YAML/);
});

Deno.test("Yaml returns values or throws a ConfigError, whatever the text", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          "a",
          ":",
          " ",
          "\n",
          "- ",
          "&x ",
          "*x",
          "[",
          "]",
          "{",
          "}",
          "!!t",
          '"',
          "#",
          "|",
          "? ",
        ),
      ),
      (words) => {
        try {
          new Yaml({ name: "r.yaml", text: words.join("") }, "the recipe");
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});
