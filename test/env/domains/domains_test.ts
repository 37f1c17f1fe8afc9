import assert from "node:assert/strict";
import { explainIssue } from "../../../env/schema_issue.ts";
import { defineDomain, MissingPartError } from "../../../env/domain.ts";
import {
  domainNamed,
  domainNames,
  domainNameSchema,
  registerDomain,
} from "../../../env/domains/registry.ts";
import { ConfigError } from "../../../env/errors.ts";
import { domainContract } from "../../contract/domain_contract.ts";
import { library } from "../../support/library_desk/domain.ts";
import "../../support/library_desk/register.ts";

for (const name of domainNames(({ world }) => world !== undefined)) {
  domainContract(domainNamed(name));
}

Deno.test("domainNamed() distinguishes two benchmarks' domains with the same name", () => {
  const theirs = defineDomain({
    benchmark: "other",
    name: "retail",
    rowSchemas: new Map(),
    tools: [],
  });
  registerDomain(theirs);
  registerDomain(theirs);
  assert.equal(domainNamed("other.retail"), theirs);
  assert.equal(domainNamed("retail", "other"), theirs);
  assert.notEqual(domainNamed("retail"), theirs, "τ-bench's goes first");
  assert.throws(
    () => registerDomain({ ...theirs }),
    (error) =>
      error instanceof ConfigError && /other\.retail/.test(error.message),
  );
  assert.equal(domainNamed("telecom").benchmark, "tau3", "only one has it");
  assert.throws(() => domainNamed("bakery"), {
    name: "ConfigError",
    hint: /"retail", "airline".*registerDomain/,
  });
});

Deno.test("domainNameSchema suggests the nearest of the domains registered so far", () => {
  const { error } = domainNameSchema.safeParse("desks.libary");
  assert.match(
    explainIssue(error!.issues[0]!, "desks.libary"),
    /^expected one of "retail".* got "desks.libary"; did you mean "desks.library"\?$/,
  );
});

Deno.test("defineDomain() rejects invalid names, and tools with the same name", () => {
  const parts = { benchmark: "tau", rowSchemas: new Map(), tools: [] };
  for (const name of ["", "a.b", "Retail", "a b"]) {
    assert.throws(() => defineDomain({ ...parts, name }), ConfigError);
  }
  const [tool] = library.tools;
  assert.throws(
    () => defineDomain({ ...parts, name: "twice", tools: [tool, tool] }),
    /have the name "get_user_details"/,
  );
  assert.ok(new MissingPartError(library, "expert").hint?.includes("expert"));
});

/**
 * Lists the source lines below a folder that quote the name of a built-in domain. Skips `env/domains` and
 * `env/benchmarks`, which may do so.
 */
async function* linesThatName(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) {
      if (!/\/env\/(domains|benchmarks)$/.test(path)) {
        yield* linesThatName(path);
      }
    } else if (/\.(ts|js)$/.test(name)) {
      const text = await Deno.readTextFile(path);
      yield* text.split("\n").filter((line) =>
        domainNames().some((name) => line.includes(`"${name}"`))
      );
    }
  }
}

Deno.test("nothing outside a domain's folder names it, except as a default or an example", async () => {
  const root = new URL("../../..", import.meta.url).pathname;
  const named: string[] = [];
  for (const folder of ["env", "train", "tasks", "notebooks"]) {
    named.push(...await Array.fromAsync(linesThatName(`${root}${folder}`)));
  }
  const isDefault = /(default\(|\?\? |= |loadTauBench\(\w+, )"retail"|^ \*/;
  assert.deepEqual(named.filter((line) => !isDefault.test(line)), []);
});
