import assert from "node:assert/strict";
import type { Desk, Script } from "../../../../env/agents/desk.ts";
import {
  NO_TELECOM,
  telecomDatabases,
  telecomSplit,
  telecomTasks,
} from "../../../support/telecom_world.ts";
import { missingIn, talkAbout } from "../../../support/telecom_talk.ts";

const CASES = { ignore: NO_TELECOM };

Deno.test(
  "telecom's expert solves every task of base by talking to the scripted user, whatever the seed",
  CASES,
  () => {
    const base = telecomDatabases();
    const ids = telecomSplit("base");
    const tasks = telecomTasks().filter((task) =>
      ids.has(String(task.get("id")))
    );
    assert.equal(tasks.length, 114);
    for (const [seed, task] of tasks.entries()) {
      const talk = talkAbout(task, base, { seed });
      assert.deepEqual(missingIn(task, talk), [], String(task.get("id")));
      assert.deepEqual(
        talkAbout(task, base, { seed }).lines,
        talk.lines,
        "the same seed, the same conversation",
      );
    }
  },
);

Deno.test(
  "telecom's expert solves all tasks there are, within the benchmark's 200 steps",
  CASES,
  () => {
    const base = telecomDatabases();
    const tasks = telecomTasks();
    assert.equal(tasks.length, 2285);
    const failed = tasks.filter((task) =>
      missingIn(task, talkAbout(task, base)).length > 0
    );
    assert.deepEqual(failed.map((task) => task.get("id")), []);
  },
);

Deno.test(
  "an agent that only talks solves none of telecom's tasks",
  CASES,
  () => {
    const base = telecomDatabases();
    const ids = telecomSplit("small");
    const tasks = telecomTasks().filter((task) =>
      ids.has(String(task.get("id")))
    );
    function* idle({ desk }: { readonly desk: Desk }): Script {
      while (true) yield* desk.say("thank you for your patience.");
    }
    for (const task of tasks) {
      const talk = talkAbout(task, base, { agent: idle });
      assert.equal(talk.calls.length, 0);
      assert.notDeepEqual(missingIn(task, talk), []);
    }
  },
);
