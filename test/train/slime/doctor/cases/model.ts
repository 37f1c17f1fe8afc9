/**
 * Lists test cases for the doctor's checks of the model: its files, config, template and lengths, and the hook that
 * samples from it.
 */

import { join } from "node:path";
import type { CheckContext } from "../../../../../train/slime/doctor/check.ts";
import { localShell } from "../../../../../train/slime/hosts/local_shell.ts";
import {
  checkContext,
  hfConfig,
  slimeOf,
  toldShell,
  writeModel,
} from "../../../../support/doctor.ts";
import { QWEN3_INSTRUCT } from "../../../../support/qwen3.ts";
import { type Case, onHost } from "./_case.ts";

async function atModel(
  dir: string,
  {
    sets = [] as string[],
    change = () => Promise.resolve() as Promise<unknown>,
  } = {},
): Promise<CheckContext> {
  const directory = join(dir, "model");
  await writeModel(directory);
  await change();
  const config = slimeOf([
    "model.name=Qwen3-0.6B",
    `model.directory=${directory}`,
    ...sets,
  ]);
  return checkContext(config, { hosts: [localShell()] });
}

/** Creates a context whose model has the given chat template. */
function atTemplate(dir: string, source: string): Promise<CheckContext> {
  return atModel(dir, {
    change: () =>
      Deno.writeTextFile(join(dir, "model/chat_template.jinja"), source),
  });
}

/** Creates a context whose host has the small files of a model, and a Python with a scripted answer. */
async function toldPython(
  dir: string,
  answer: Parameters<typeof toldShell>[0][string],
): Promise<CheckContext> {
  const directory = join(dir, "model");
  await writeModel(directory);
  const real = localShell();
  const told = toldShell({ "-B -": answer });
  const config = slimeOf([`model.directory=${directory}`]);
  const shell = {
    ...real,
    run: (command: Parameters<typeof real.run>[0]) =>
      command.script.endsWith("-B -") ? told.run(command) : real.run(command),
  };
  return checkContext(config, { hosts: [shell] });
}

/** The test cases for the checks of the model. */
export const CASES: readonly Case[] = [
  {
    check: "model-files",
    state: "pass",
    name: "a complete model",
    says: /2 weight files, complete, 1\.2 GB/,
    world: (_, dir) => atModel(dir),
  },
  {
    check: "model-files",
    state: "fail",
    name: "no directory",
    says: /there is no directory "\/root\/none"/,
    fix: /hf download Qwen\/Qwen3-4B --local-dir \/root\/none/,
    world: () =>
      checkContext(slimeOf(["model.directory=/root/none"]), {
        hosts: [localShell()],
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "a missing shard",
    says:
      /model-00002-of-00002.safetensors" is missing, but the index lists it/,
    fix: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.remove(join(dir, "model/model-00002-of-00002.safetensors")),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "a truncated shard",
    says: /has a size of 1000 bytes instead of \d{9}/,
    fix: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.truncate(
            join(dir, "model/model-00001-of-00002.safetensors"),
            1000,
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "a shard truncated within its header",
    says: /has a damaged header \(file size: 20 bytes\)/,
    fix: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.truncate(
            join(dir, "model/model-00001-of-00002.safetensors"),
            20,
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "an empty shard",
    says: /has a damaged header \(file size: 0 bytes\)/,
    fix: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.truncate(
            join(dir, "model/model-00001-of-00002.safetensors"),
            0,
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "a pointer of git LFS instead of a shard",
    says: /has a damaged header/,
    fix: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/model-00001-of-00002.safetensors"),
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "an index that names tensors of another shard",
    says:
      /lacks 1 of \d+ tensors that it must contain according to the index, such as lost/,
    fix: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/model.safetensors.index.json"),
            JSON.stringify({
              weight_map: {
                lost: "model-00001-of-00002.safetensors",
              },
            }),
          ),
      }),
  },
  {
    check: "model-files",
    state: "fail",
    name: "no tokenizer",
    says: /tokenizer.json" is missing or cannot be read/,
    fix: /hf download/,
    world: (_, dir) =>
      atModel(dir, {
        change: () => Deno.remove(join(dir, "model/tokenizer.json")),
      }),
  },
  {
    check: "model-config",
    state: "pass",
    name: "the recipe's model",
    says: /config.json matches Qwen3-0.6B: rope base 1000000, 28 layers/,
    world: (_, dir) => atModel(dir),
  },
  {
    check: "model-config",
    state: "fail",
    name: "the rope base of another model",
    says: /rope_theta is 5000000 in the checkpoint, but 1000000 for Qwen3-0.6B/,
    fix: /with model.shape/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/config.json"),
            JSON.stringify({
              ...hfConfig("Qwen3-0.6B"),
              rope_theta: 5_000_000,
            }),
          ),
      }),
  },
  {
    check: "model-config",
    state: "fail",
    name: "another preset",
    says: /num_hidden_layers is 36 in the checkpoint, but 28/,
    fix: /set model.name to Qwen3-4B, which matches the checkpoint/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/config.json"),
            JSON.stringify(hfConfig("Qwen3-4B")),
          ),
      }),
  },
  {
    check: "model-config",
    state: "fail",
    name: "weights of a model of another size",
    says: /the weights have \d+ parameters, but Qwen3-0.6B has 596049920/,
    fix: /download Qwen3-0.6B/,
    world: async (_, dir) => {
      const context = await atModel(dir);
      await Deno.remove(join(dir, "model/model-00002-of-00002.safetensors"));
      return context;
    },
  },
  {
    check: "model-config",
    state: "warn",
    name: "an end token that engines ignore",
    says:
      /eos_token_id .* is 151643, but the tokenizer's end token <\|im_end\|> has the id 151645/,
    fix: /add 151645/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/generation_config.json"),
            JSON.stringify({ eos_token_id: 151_643 }),
          ),
      }),
  },
  {
    check: "template",
    state: "fail",
    name: "a rendering that differs",
    says: /the text differs: from character 0 on it is "<\|im_start\|>/,
    fix: /transformers on the hosts/,
    world: (_, dir) =>
      toldPython(
        dir,
        JSON.stringify({ version: "5.0", text: "hi", ids: [1], size: 9 }),
      ),
  },
  {
    check: "template",
    state: "warn",
    name: "no transformers",
    says:
      /was not compared, because "python3" cannot import transformers \(No module/,
    fix: /deno task setup/,
    world: (_, dir) =>
      toldPython(
        dir,
        JSON.stringify({ missing: "No module named 'transformers'" }),
      ),
  },
  {
    check: "template",
    state: "fail",
    name: "a Python that fails",
    says: /cannot render the conversation: ValueError: Tokenizer class/,
    fix: /checks "software" and "model-files"/,
    world: (_, dir) =>
      toldPython(dir, {
        code: 1,
        stderr: "Traceback\nValueError: Tokenizer class X does not exist\n",
      }),
  },
  {
    check: "tool-calls",
    state: "pass",
    name: "the template's own format",
    says: /written and parsed as qwen25/,
    world: (_, dir) => atModel(dir),
  },
  {
    check: "tool-calls",
    state: "fail",
    name: "another format than the template's",
    says:
      /writes a call as .*<tool_call>.* but the parser glm45 cannot read it/,
    fix: /^set model.toolCalls to qwen25 or hermes/,
    world: (_, dir) => atModel(dir, { sets: ["model.toolCalls=glm45"] }),
  },
  {
    check: "tool-calls",
    state: "fail",
    name: "a custom format",
    says: /CALL get_order_details .* no parser can read it \(qwen25, /,
    fix: /one of these formats/,
    world: (_, dir) =>
      atTemplate(
        dir,
        "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %} CALL {{ c.function.name }} {{ c.function.arguments | tojson }}{% endfor %}<|im_end|>{% endfor %}",
      ),
  },
  {
    check: "tool-calls",
    state: "warn",
    name: "a template that does not render calls",
    says: /writes no tool calls; answers are parsed as qwen25/,
    fix: /instruction-tuned/,
    world: (_, dir) =>
      atTemplate(
        dir,
        "{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}",
      ),
  },
  {
    check: "history",
    state: "warn",
    name: "a hybrid model that thinks",
    says:
      /removes the thoughts of earlier answers: .* a chat API differ from those in training/,
    fix: /set model.thinking to false.*--tokenizer DIR/,
    world: (_, dir) => atModel(dir),
  },
  {
    check: "history",
    state: "pass",
    name: "a hybrid model that does not think",
    says: /only the empty thoughts of earlier answers are removed/,
    world: (_, dir) => atModel(dir, { sets: ["model.thinking=false"] }),
  },
  {
    check: "history",
    state: "pass",
    name: "a template that keeps all of the history",
    says: /renders earlier messages unchanged in later turns/,
    world: (_, dir) => atTemplate(dir, QWEN3_INSTRUCT),
  },
  {
    check: "history",
    state: "warn",
    name: "a template that renders the last message differently",
    says: /" \(now\)<\|im_end\|>.*: training keeps earlier messages unchanged/,
    fix: /send the model tokens instead/,
    world: (_, dir) =>
      atTemplate(
        dir,
        QWEN3_INSTRUCT.replaceAll(
          "message.content }}",
          "message.content + (' (now)' if loop.last else '') }}",
        ).replace(
          "+ message.content + '<|im_end|>'",
          "+ message.content + (' (now)' if loop.last else '') + '<|im_end|>'",
        ),
      ),
  },
  {
    check: "history",
    state: "fail",
    name: "a template that does not close answers",
    says: /cannot continue after an answer/,
    fix: /eos_token/,
    world: (_, dir) =>
      atTemplate(dir, "{% for m in messages %}{{ m.content }}{% endfor %}"),
  },
  {
    check: "context",
    state: "pass",
    name: "a prompt that fits",
    says:
      /the prompt has \d{4} tokens; gold calls and their results add a median of \d+/,
    world: (_, dir) =>
      atModel(dir, { sets: ["parallel.maxTokensPerGpu=16384"] }),
  },
  {
    check: "context",
    state: "pass",
    name: "the prompt of agents that write their actions",
    says: /the prompt has \d{4} tokens/,
    world: (_, dir) =>
      atModel(dir, {
        sets: ["parallel.maxTokensPerGpu=16384", "agent=react"],
      }),
  },
  {
    check: "context",
    state: "warn",
    name: "episodes longer than a micro-batch",
    says:
      /16384 tokens, but a micro-batch only 9216 .* a separate micro-batch, .* out of memory/,
    fix: /set parallel.maxTokensPerGpu to 16384/,
    world: (_, dir) => atModel(dir),
  },
  {
    check: "context",
    state: "fail",
    name: "a prompt that leaves no tokens for an answer",
    says:
      /the prompt has \d{4} tokens and an answer may have 1024, but rollout.maxContextLen is 2048/,
    fix: /set rollout.maxContextLen to \d+ or more/,
    world: (_, dir) => atModel(dir, { sets: ["rollout.maxContextLen=2048"] }),
  },
  {
    check: "context",
    state: "fail",
    name: "a context longer than the checkpoint's positions",
    says:
      /maxContextLen is 16384, but Qwen3-0.6B supports at most 8192 positions/,
    fix: /8192 or less/,
    world: (_, dir) =>
      atModel(dir, {
        change: () =>
          Deno.writeTextFile(
            join(dir, "model/config.json"),
            JSON.stringify({
              ...hfConfig("Qwen3-0.6B"),
              max_position_embeddings: 8192,
            }),
          ),
      }),
  },
  {
    check: "hook",
    state: "fail",
    name: "no slime",
    says:
      /does not run with slime: ModuleNotFoundError: No module named 'slime'/,
    fix: /paths.slime/,
    world: () =>
      onHost({
        "-B -": {
          code: 1,
          stderr: "ModuleNotFoundError: No module named 'slime'\n",
        },
      }),
  },
  {
    check: "hook",
    state: "fail",
    name: "the Sample of another slime version",
    says: /sample 0: the loss mask does not have response_length entries/,
    fix: /the commit of slime that "deno task setup" pins/,
    world: () =>
      onHost({
        "-B -": JSON.stringify({
          slime: "/root/slime",
          faults: [
            "sample 0: the loss mask does not have response_length entries",
          ],
        }),
      }),
  },
];
