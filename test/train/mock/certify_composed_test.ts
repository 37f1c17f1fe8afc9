import assert from "node:assert/strict";
import { join } from "node:path";
import { telecomBundle } from "../../../env/domains/telecom/world/world_bundle.ts";
import { certifyWorld } from "../../../train/mock/mock_composed.ts";
import { writeFiles } from "../../../train/mock/mock_files.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const TASKS = "data/tau2/domains/telecom/tasks.json";

interface TaskFile {
  id: string;
  evaluation_criteria: { actions: unknown[]; env_assertions: object[] };
}

Deno.test("certifyWorld() excludes, from every split, tasks whose gold fails or that the expert does not solve", () =>
  inTempDir(async (dir) => {
    const options = { hopelessShare: 0 };
    const { files } = telecomBundle({ seed: 2, count: 12, options });
    await writeFiles(dir, files);
    const path = join(dir, TASKS);
    const tasks = JSON.parse(await Deno.readTextFile(path)) as TaskFile[];
    const [first, second] = tasks as [TaskFile, TaskFile];
    first.evaluation_criteria.actions.pop();
    second.evaluation_criteria.env_assertions.push({
      env_type: "user",
      func_name: "assert_service_status",
      arguments: { expected_status: "no_service" },
      assert_value: true,
      message: null,
    });
    await Deno.writeTextFile(path, JSON.stringify(tasks));
    let done = 0;
    const excluded = await certifyWorld(dir, {
      env: "tau3.telecom",
      onTask: () => done++,
    });
    assert.equal(done, 12);
    const reasons = new Map(
      excluded.map(({ task, reason }) => [task, reason]),
    );
    assert.match(
      reasons.get(`telecom/base/${first.id}`) ?? "",
      /^the expected actions do not earn the reward/,
    );
    assert.ok(reasons.has(`telecom/base/${second.id}`));
    assert.equal(excluded.length, 4, "each is in one more split");
    const lines = (await Deno.readTextFile(join(dir, "certificates.jsonl")))
      .trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ expert, faults }) => [expert, faults.length === 0]),
      lines.map((_, i) =>
        i === 0 ? [true, false] : i === 1 ? [false, false] : [true, true]
      ),
    );
    const yaml = await Deno.readTextFile(join(dir, "excluded.yaml"));
    assert.match(yaml, /^# Tasks that are not certified\.\n- task: /);
  }));
