import assert from "node:assert/strict";
import { coverageOf } from "../../../env/generated/coverage.ts";
import { generated } from "../../../env/generated/generated.ts";
import { partOf } from "../../../env/domain.ts";
import { domainNamed, domainNames } from "../../../env/domains/registry.ts";

const { certificates } = await generated(3, {
  trainTasks: 3000,
  devTasks: 1,
  testTasks: 1,
  refusedShare: 0.7,
  brokenRuleShare: 0.8,
  unavailableShare: 0.3,
  paymentMethodsMax: 3,
});
const coverage = coverageOf("retail", certificates.values());

Deno.test("coverageOf(): each clause refuses some request by each tool, or has a reason why it cannot", () => {
  for (const { clause, tool, allowed, refused, untested } of coverage) {
    assert.ok(allowed > 0, tool);
    assert.equal(refused > 0, untested === undefined, `${clause} ${tool}`);
  }
});

Deno.test("coverageOf() has a row for each clause and tool, and reasons only for existing clauses", () => {
  for (const name of domainNames(({ policy }) => policy !== undefined)) {
    const { clauses, untested } = partOf(domainNamed(name), "policy");
    const known = clauses.map(({ id }) => id);
    assert.deepEqual(
      Object.keys(untested ?? {}).filter((id) => !known.includes(id)),
      [],
    );
  }
  const pairs = partOf(domainNamed("retail"), "policy").clauses.reduce(
    (sum, { tools }) => sum + tools.length,
    0,
  );
  assert.equal(coverage.length, pairs);
});
