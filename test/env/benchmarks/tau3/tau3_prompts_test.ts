import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { loadTau3Tasks } from "../../../../env/benchmarks/tau3/load_bundle.ts";
import {
  type PromptContext,
  replayPrompts,
} from "../../../../env/benchmarks/tau3/replay/replay_prompts.ts";
import {
  judgePrompt,
  readGuidelines,
  readTau3Prompts,
  scenarioText,
} from "../../../../env/benchmarks/tau3/tau3_prompts.ts";
import { Checker } from "../../../../env/benchmarks/tau/replay/mismatch.ts";
import {
  NO_TAU3_BENCH,
  TAU3_BENCH,
  tau3Records,
} from "../../../support/tau3_bench.ts";

Deno.test({
  name: "system prompts have the same hashes as those of the original",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const prompts = await readTau3Prompts(TAU3_BENCH);
    const guidelines = await readGuidelines(TAU3_BENCH);
    const domains = new Map<string, Omit<PromptContext, "checker">>();
    for (const name of ["airline", "retail", "telecom"]) {
      const isTwoSided = name === "telecom";
      domains.set(name, {
        bundle: await loadTau3Tasks(TAU3_BENCH, name),
        workflow: isTwoSided
          ? await loadTau3Tasks(TAU3_BENCH, `${name}-workflow`)
          : undefined,
        prompts,
        guidelines,
        userHasTools: isTwoSided,
      });
    }
    const checker = new Checker({ path: "prompts", record: 0, label: "" });
    let compared = 0;
    for (const record of await tau3Records("prompts")) {
      const context = domains.get(String(record.get("domain")));
      assert(context !== undefined);
      compared += replayPrompts(record, { ...context, checker });
    }
    assert.deepEqual(checker.mismatches, []);
    assert.equal(compared, 614 + 63 + 3 + 611 + 611 + 1 + 572 + 572);
  },
});

Deno.test("scenarioText() omits missing sections and indents nested text twice", () => {
  const lines = [
    "Domain: <<domain>>",
    "Reason for call:\n<<reason_for_call>>",
    "Known info:\n<<known_info>>",
    "Task instructions:\n<<task_instructions>>",
  ];
  const text = scenarioText({ user_instructions_lines: lines }, {
    persona: "Old.\n \nSlow.",
    instructions: {
      domain: "d",
      reasonForCall: "<<known_info>>",
      knownInfo: null,
      unknownInfo: "no line for it",
      taskInstructions: "a\n\nb",
    },
  });
  assert.equal(
    text,
    "Persona:\n\tOld.\n \n\tSlow.\nInstructions:\n\tDomain: d\n\tReason for call:\n\t\t<<known_info>>\n\tTask instructions:\n\t\ta\n\n\t\tb",
  );
});

Deno.test({
  name: "judgePrompt() equals the prompt of the original's judge",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const prompts = await readTau3Prompts(TAU3_BENCH);
    const { user } = judgePrompt(prompts, {
      messages: [{
        role: "assistant",
        content: null,
        toolCalls: null,
        cost: null,
      }, {
        role: "tool",
        id: "c",
        content: "x",
        requestor: "assistant",
        error: false,
      }],
      assertions: ["Agent says 'hi'.", 'a "b"'],
    });
    assert.equal(
      user,
      "\n        conversation:\n        assistant: None\ntool: x\n        \n        expectedOutcomes:\n        [\"Agent says 'hi'.\", 'a \"b\"']\n        ",
    );
    const file = await readFile(`${TAU3_BENCH}/prompts.json`, "utf8");
    assert.equal(JSON.parse(file).judge_system, prompts.judge_system);
  },
});
