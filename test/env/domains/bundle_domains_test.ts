import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { domainNamed, domainNames } from "../../../env/domains/registry.ts";
import { loadTauBench } from "../../../env/benchmarks/tau/tau_bench.ts";
import { loadTables } from "../../../env/domains/shared/toolkit/bundle_database.ts";
import { defineModel, field } from "../../../env/python/pydantic.ts";
import { parsePythonJson } from "../../../env/python/python_json.ts";
import { toPlain } from "../../../env/python/python_value.ts";
import type { Tool } from "../../../env/tool.ts";
import { bundleWorld, TAU3_TOOLS } from "../../support/bundle_replay.ts";
import { NO_TAU3_BENCH } from "../../support/tau3_bench.ts";

/** A tool in the format of the files that list the benchmark's tools. */
interface ListedTool {
  readonly function: {
    readonly name: string;
    readonly parameters: {
      readonly required?: readonly string[];
      readonly properties: object;
    };
  };
}

/** The kind of each tool (`read`, `write` or `generic`), keyed by domain, side and tool name. */
type Kinds = Record<string, Record<string, Record<string, { type: string }>>>;

function json(name: string): unknown {
  return toPlain(
    parsePythonJson(readFileSync(`${TAU3_TOOLS}/${name}.json`, "utf8")),
  );
}

/** The names of all bundle domains, except the toy domain, which other tests in this process register. */
const NAMES = domainNames(({ bundle }) => bundle !== undefined)
  .filter((name) => name !== "tau3.toy");

for (const key of NAMES) {
  Deno.test({
    name:
      `${key} has the original's tools in the same order, with the same parameters and kinds`,
    ignore: NO_TAU3_BENCH,
    fn() {
      const { name, tools, bundle } = domainNamed(key);
      const kinds = json("kinds") as Kinds;
      const sides: [side: string, tools: readonly Tool[]][] = [[
        "agent",
        tools,
      ]];
      if (bundle?.userTools) sides.push(["user", bundle.userTools]);
      for (const [side, own] of sides) {
        const listed = json(`${name}_${side}`) as ListedTool[];
        assert.deepEqual(
          own.map(({ name, parameters, kind }) => ({ name, parameters, kind })),
          listed.map((tool) => ({
            name: tool.function.name,
            parameters: Object.keys(tool.function.parameters.properties),
            kind: kinds[name]![side]![tool.function.name]!.type,
          })),
        );
      }
    },
  });
}

Deno.test({
  name: "rows of τ³-bench's airline and store match their schemas",
  ignore: NO_TAU3_BENCH,
  fn() {
    for (const name of ["retail", "airline"]) {
      const { domain, base } = bundleWorld(name);
      for (const [table, schema] of domain.rowSchemas) {
        const [id] = base.agent.ids(table);
        const row = toPlain(base.agent.get(table, id!)!) as object;
        assert.ok(schema.safeParse(row).success, table);
        assert.ok(
          !schema.safeParse({ ...row, ...invalidRow(row) }).success,
          table,
        );
      }
    }
  },
});

/** Returns a replacement for the first field of a row: the same key with a value of the wrong type. */
function invalidRow(row: object): object {
  return { [Object.keys(row)[0]!]: [] };
}

Deno.test("loadTables() names the path at which data does not have the declared shape", () => {
  const models = { desks: defineModel("Desk", { id: field.str() }) };
  const load = (json: string) =>
    loadTables("DB", models, parsePythonJson(json));
  assert.equal(
    load('{"desks": {"a": {"id": "a"}}}').get("desks", "a")?.get("id"),
    "a",
  );
  assert.throws(
    () => load('{"desks": {"a": {"id": 1}}}'),
    {
      name: "DataError",
      message: /validation error for DB\ndesks\.a\.id\n.*string_type/,
    },
  );
  assert.throws(
    () => load('{"desks": {}, "chairs": {}}'),
    /chairs\n.*extra_forbidden/,
  );
});

Deno.test("τ-bench's loader rejects domains whose data has another layout", async () => {
  await assert.rejects(loadTauBench("nowhere", "tau3.airline"), {
    name: "ConfigError",
    message: /"tau3\.airline" has no data in τ-bench's layout/,
    hint: /retail, airline/,
  });
});
