import assert from "node:assert/strict";
import { join } from "node:path";
import { gatherFacts } from "../../../../train/slime/plan/gather_facts.ts";
import { slimeOf } from "../../../support/slime_plan.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

Deno.test("gatherFacts() notes missing files and leaves their facts empty", async () => {
  const { config } = await slimeOf("qwen3-8b-2nodes");
  const facts = await gatherFacts(config, {
    runDir: "runs/a1",
    hostsFile: "no/hosts.yaml",
  });
  assert.equal(facts.run, "a1");
  assert.equal(facts.session, 1);
  assert.equal(facts.data, null);
  assert.equal(facts.measured, null);
  assert.deepEqual(facts.hosts[0], { name: "gpu1", address: "gpu1" });
  assert.match(facts.notes[0]!, /there is no no\/hosts\.yaml/);
  assert.match(facts.hooks["generate.py"]!, /def generate/);
});

Deno.test("gatherFacts() reads addresses from hosts.yaml and rows from the dataset", () =>
  inTempDir(async (dir) => {
    const hostsFile = join(dir, "hosts.yaml");
    await Deno.writeTextFile(
      hostsFile,
      "gpu2: { address: 10.1.0.2 }\ngpu1: { ssh: { host: head } }\n",
    );
    const { config } = await slimeOf(
      "qwen3-8b-2nodes",
      "data.source=generated",
    );
    const sources = { runDir: join(dir, "a1"), session: 2, hostsFile };
    const facts = await gatherFacts(config, sources);
    assert.deepEqual(facts.hosts, [
      { name: "gpu1", address: "head" },
      { name: "gpu2", address: "10.1.0.2" },
    ]);
    assert.deepEqual(facts.notes, []);
    assert.equal(facts.session, 2);
    assert.deepEqual(facts.data!.rows.map(({ split }) => split), [
      "train",
      ...config.eval.splits,
    ]);
  }));
