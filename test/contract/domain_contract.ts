/** Defines the contract tests that every complete domain must pass. */

import assert from "node:assert/strict";
import { toPlain } from "../../env/python/python_value.ts";
import { expertAgent } from "../../env/agents/expert.ts";
import {
  defineDomain,
  type Domain,
  keyOf,
  MissingPartError,
  type PartName,
  partOf,
} from "../../env/domain.ts";
import {
  domainKey,
  domainNamed,
  domainNames,
  domainNameSchema,
  domainOf,
  registerDomain,
} from "../../env/domains/registry.ts";
import { coverageOf } from "../../env/generated/coverage.ts";
import { generated } from "../../env/generated/generated.ts";
import { rollout } from "../../env/rollout.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { datasetContract } from "./dataset_contract.ts";

const SIZES = { trainTasks: 12, devTasks: 2, testTasks: 3 };

/** Registers the contract tests for a domain, which must itself be registered. */
export function domainContract(domain: Domain): void {
  const name = keyOf(domain);
  const make = () => generated(4, SIZES, { domain: name });
  datasetContract(`generated() of ${name}`, make);

  Deno.test(`${name}: the registry, flags and datasets find it by benchmark and name`, async () => {
    assert.equal(domainNamed(name), domain);
    assert.equal(domainNamed(domain.name, domain.benchmark), domain);
    assert.ok(domainNames().includes(name));
    assert.equal(domainNameSchema.parse(name), name);
    const dataset = await make();
    const [task] = dataset.tasks("train");
    assert.equal(domainOf(dataset), domain);
    assert.equal(domainKey(dataset), name);
    assert.equal(domainKey(task!), name);
  });

  Deno.test(`${name}: rows match their schemas, and the domain's facts name existing tables`, async () => {
    const { database } = await make();
    assert.deepEqual(
      [...domain.rowSchemas.keys()].sort(),
      [...database.tables].sort(),
    );
    for (const [table, schema] of domain.rowSchemas) {
      for (const id of database.ids(table)) {
        schema.parse(toPlain(database.get(table, id)!));
      }
    }
    const { owned = [], open = [] } = domain.rows ?? {};
    const named = [...owned.map(({ table }) => table), ...open];
    assert.deepEqual(named.filter((one) => !domain.rowSchemas.has(one)), []);
    const parameters = domain.tools.flatMap((tool) => tool.parameters);
    for (const { argument } of owned) assert.ok(parameters.includes(argument));
  });

  Deno.test(`${name}: goals, clauses and coverage only name existing tools`, async () => {
    const tools = new Set(domain.tools.map((tool) => tool.name));
    const { clauses } = partOf(domain, "policy");
    const bound = clauses.flatMap((clause) => clause.tools);
    const meant = Object.values(partOf(domain, "goals").tools);
    assert.deepEqual([...bound, ...meant].filter((one) => !tools.has(one)), []);
    const { certificates } = await make();
    const coverage = coverageOf(name, certificates.values());
    assert.equal(coverage.length, bound.length);
  });

  Deno.test(`${name}: the expert solves every task with the scripted user, and the same seed gives the same episode`, async () => {
    const dataset = await make();
    for (const task of dataset.tasks("train")) {
      const play = () =>
        rollout({
          dataset,
          task,
          agent: expertAgent(),
          user: scriptedUser(dataset),
          seed: 9,
          now: () => 0,
        });
      const episode = await play();
      assert.equal(episode.reward?.value, 1, task.id);
      assert.deepEqual(episode.findings, []);
      assert.deepEqual(await play(), episode);
    }
  });

  Deno.test(`${name}: a missing part is reported when it is requested`, async () => {
    const full = await make();
    const { rowSchemas, tools } = domain;
    const benchmark = `bare-${domain.benchmark}`;
    registerDomain(
      defineDomain({ benchmark, name: domain.name, rowSchemas, tools }),
    );
    const dataset = { ...full, benchmark };
    const start = { task: full.tasks("train")[0]!, seed: 1, firstMessage: "" };
    const asked: Readonly<Partial<Record<PartName, () => unknown>>> = {
      expert: () => expertAgent().start({ ...start, dataset }),
      scriptedUser: () => scriptedUser(dataset),
      policy: () => coverageOf(`${benchmark}.${domain.name}`, []),
    };
    for (const [part, ask] of Object.entries(asked)) {
      assert.throws(
        ask,
        (error) =>
          error instanceof MissingPartError && error.part === part &&
          error.message.includes(`${benchmark}.${domain.name}`),
        part,
      );
    }
    await assert.rejects(
      generated(1, {}, { domain: `${benchmark}.${domain.name}` }),
      MissingPartError,
    );
  });
}
