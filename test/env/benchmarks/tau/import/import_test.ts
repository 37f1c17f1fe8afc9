import assert from "node:assert/strict";
import { importTauBench } from "../../../../../env/benchmarks/tau/import/import_tau_bench.ts";
import { checkoutFiles } from "../../../../support/tau_checkout.ts";

function importing(files: ReadonlyMap<string, string>) {
  return importTauBench({
    root: "c",
    read: (path) => Promise.resolve(files.get(path.replace(/^c\//, ""))),
  });
}

/**
 * Changes one file of the small checkout, or creates it from an empty text if it does not exist, and imports the
 * checkout.
 */
function importChanged(path: string, change: (text: string) => string) {
  const files = checkoutFiles();
  files.set(path, change(files.get(path) ?? ""));
  return importing(files);
}

const TASKS = "tau_bench/envs/airline/tasks_test.py";

Deno.test("importTauBench() extracts tasks, tools, rules and tables", async () => {
  const { files, counts } = await importing(checkoutFiles());
  assert.deepEqual(JSON.parse(files.get("retail/tasks_dev.json") ?? ""), [
    {
      annotator: "a",
      user_id: "u_1",
      instruction: 'Don\'t "shout", please\tü.',
      actions: [{
        name: "pay",
        kwargs: {
          amount: 10,
          n: 1000,
          ids: ["1", null, true],
          deep: { x: [1] },
        },
      }],
      outputs: ["10"],
    },
    {
      annotator: "",
      user_id: "u_2",
      instruction: "Two\nlines",
      actions: [],
      outputs: [],
    },
  ]);
  // Ints and floats are distinguished, and keys keep their order.
  assert.match(files.get("retail/tasks_dev.json") ?? "", /"amount": 10\.0,\n/);
  assert.equal(files.get("airline/flights.json"), '{"1": {}, "0": {}}');
  const tools = JSON.parse(files.get("retail/tools.json") ?? "");
  assert.deepEqual(
    tools.map((tool: { function: { name: string } }) => tool.function.name),
    ["pay", "hand_over"],
  );
  assert.equal(tools[0].function.description, "Does pay, and no more.");
  assert.deepEqual(JSON.parse(files.get("airline/rules.json") ?? ""), [
    "One.",
    "Two.",
  ]);
  assert.deepEqual(JSON.parse(files.get("terminate_tools.json") ?? ""), {
    retail: ["hand_over"],
    airline: ["hand_over"],
  });
  assert.equal(counts["retail tasks_dev"], 2);
  assert.equal(counts["airline flights"], 2);
});

Deno.test("importTauBench() extracts the prompts with placeholders", async () => {
  const { files } = await importing(checkoutFiles());
  const { _format, ...prompts } = JSON.parse(files.get("prompts.json") ?? "");
  assert.deepEqual(prompts, {
    user_llm_system: "You play.<<instruction_display>>\nBraces: {}",
    user_react_system: "Think.<<instruction_display>>",
    user_instruction_display: "\n\nYou want: <<instruction>>\n",
    user_verify: "Fit?\n<<transcript>>\n<<response>>",
    user_reflect: "Better!\n<<transcript>>\n<<response>>",
    role_labels: { user: "Buyer", assistant: "Clerk" },
    first_agent_message: "Hello there!",
    stop_token: "###STOP###",
    agent_react_instruction: '\nThink, then {"name": "x"}',
    agent_act_instruction: "Act: now",
    agent_text_system: "<<wiki>>\nTools:\n<<tools_json>><<agent_instruction>>",
    agent_text_observation_prefix: "It says: ",
    agent_text_action_marker: "Do:",
    agent_tool_calling_system: "<<wiki>>",
    agent_few_shot_system: "<<wiki>>\n\n<<few_shot_examples>>",
    defaults: {
      max_num_steps: 12,
      num_few_shots: 3,
      verify_max_attempts: 4,
      reflection_max_attempts: 5,
    },
  });
});

Deno.test("importTauBench() reads the variations of forks", async () => {
  const files = checkoutFiles();
  files.delete("tau_bench/envs/airline/wiki.md");
  files.set("tau_bench/envs/airline/wiki.py", 'WIKI = r"""No \\n here"""\n');
  files.set(
    TASKS,
    "from .extra import MORE\nfrom tau_bench.types import Action, Task\n" +
      'BASE = [Task(annotator=WHO, user_id="a", instruction="x", actions=[], outputs=[])]\nTASKS_TEST = BASE + MORE\nWHO = "me"\n',
  );
  files.set(
    "tau_bench/envs/airline/extra.py",
    'MORE = [{"user_id": "b", "instruction": "y", "actions": []}]\n',
  );
  files.delete("few_shot_data/MockRetailDomainEnv-few_shot.jsonl");
  files.delete("LICENSE");
  const imported = (await importing(files)).files;
  assert.equal(imported.get("airline/wiki.md"), "No \\n here");
  const tasks = JSON.parse(imported.get("airline/tasks_test.json") ?? "");
  assert.deepEqual(
    tasks.map((task: Record<string, unknown>) => [
      task["annotator"],
      task["user_id"],
    ]),
    [["me", "a"], ["", "b"]],
  );
});

Deno.test("importTauBench() names the position of an unsupported construct", async () => {
  const wrong: [bad: string, message: RegExp][] = [
    [
      "user_id=str(1)",
      /tasks_test\.py:\d+:\d+: calls of "str" are not supported: str\(1\)/,
    ],
    ["user_id=WHO", /tasks_test\.py:6:17: the name "WHO" is unknown/],
    ["user_id=b'x'", /:6:17: bytes are not supported/],
    ["user_id='\\N{DASH}'", /the escape \\N is not supported/],
    ["user_id='\\x4'", /the escape .* is not supported/],
    [
      "user_id=f'{x!r}'",
      /f-string conversions and format specs are not supported/,
    ],
    [
      "user_id=f'{x:>3}'",
      /f-string conversions and format specs are not supported/,
    ],
    ["user_id='a' * 2", /the only supported binary operator is \+/],
    [
      "user_id='a' + 1",
      /\+ supports only two strings, two lists or two numbers/,
    ],
    ["user_id=[x for x in y]", /the expression is not a literal/],
    ["user_id={1, 2}", /the expression is not a literal/],
    ["user_id=lambda: 1", /the expression is not a literal/],
    ["user_id=0x10", /the number format is not supported/],
    ["**rest", /unpacking is not supported/],
    ["user_id=(", /:\d+:\d+: the code is not valid Python/],
  ];
  for (const [bad, message] of wrong) {
    await assert.rejects(
      importChanged(TASKS, (text) => text.replace('user_id="u_1"', bad)),
      (error: Error) => {
        assert.equal(error.name, "DataError");
        assert.match(error.message, message, bad);
        return true;
      },
    );
  }
});

Deno.test("importTauBench() names what is missing from a checkout", async () => {
  const cases: [path: string, text: string, message: RegExp][] = [
    [TASKS, "X = 1\n", /there is no list TASKS_TEST or TASKS/],
    [TASKS, "TASKS = 1\n", /"TASKS" is not a list/],
    [TASKS, "TASKS = [1]\n", /task 0 is not a Task/],
    [
      TASKS,
      'TASKS = [Task(user_id="a", actions=[])]\n',
      /task 0 has no "instruction"/,
    ],
    [
      "tau_bench/envs/retail/rules.py",
      "",
      /rules\.py:1:1: there is no constant "RULES"/,
    ],
    [
      "tau_bench/envs/retail/tools/__init__.py",
      "",
      /there is no list ALL_TOOLS/,
    ],
    ["tau_bench/envs/retail/tools/first.py", "", /there is no class "Pay"/],
    [
      "tau_bench/envs/retail/tools/first.py",
      "class Pay:\n    pass\n",
      /no get_info that returns a schema/,
    ],
    ["tau_bench/envs/base.py", "", /there is no stop token/],
    ["tau_bench/envs/user.py", "", /there is no class "LLMUserSimulationEnv"/],
  ];
  for (const [path, text, message] of cases) {
    await assert.rejects(importChanged(path, () => text), message, path);
  }
  await assert.rejects(
    importing(new Map()),
    /Cannot find tasks in "c\/tau_bench\/envs\/retail"/,
  );
});
