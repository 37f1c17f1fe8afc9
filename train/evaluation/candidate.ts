/** Opens candidates for evaluation: a model behind an endpoint, a training run's policy, or the expert. */

import { openAgent } from "../../env/agents/registry.ts";
import { expertAgent } from "../../env/agents/expert.ts";
import { ConfigError } from "../../env/errors.ts";
import { resolveEndpoint } from "../../env/models/endpoints.ts";
import type { Meter } from "../../env/models/meter.ts";
import { sglangTokenModel } from "../../env/models/sglang.ts";
import { tokenChatModel } from "../../env/models/token_chat.ts";
import { loadChatTemplate } from "../../env/tokens/chat_template.ts";
import { loadTokenizer } from "../../env/tokens/tokenizer.ts";
import { thinkingVariables } from "../../env/models/thought.ts";
import type {
  Agent,
  CallOptions,
  ChatModel,
  Dataset,
} from "../../env/types.ts";
import { checkModel } from "../../env/models/check_model.ts";
import { callerOf, modelName, openChatModel } from "../config/open_model.ts";
import { openRunPolicy } from "../cpu/run_policy.ts";
import { readRun } from "../runs/training_dir.ts";
import type { EvaluationConfig } from "./evaluation_config.ts";

/** The agent to evaluate. Use it with `await using`. */
export interface Candidate extends AsyncDisposable {
  readonly agent: Agent;
  /** A description for people, such as `the policy of "runs/a1" after step 160`. */
  readonly description: string;
}

/** Options for {@linkcode openCandidate}. */
export interface OpenCandidateOptions extends CallOptions {
  readonly dataset: Dataset;
  readonly meter: Meter;
  readonly env?: (name: string) => string | undefined;
}

/**
 * Opens the candidate. For a model behind an endpoint, checks with a short request that it answers.
 * @throws {ConfigError} If the run or the model does not exist, the model does not answer, or settings do not fit each
 * other.
 * @throws {RunDirError} If the run is damaged.
 */
export async function openCandidate(
  config: EvaluationConfig,
  options: OpenCandidateOptions,
): Promise<Candidate> {
  const isSolo = options.dataset.rules?.solo !== undefined;
  if (config.agent === "expert") {
    return held(
      expertAgent(),
      isSolo
        ? "the expert, which also plays the user"
        : "the expert, which understands the scripted user's phrasings",
    );
  }
  if (isSolo) requireSolo(config);
  if (config.policy !== null) return await openPolicy(config, options);
  const model = config.model.tokenizer === null
    ? await openChatModel(config.model, {
      ...options,
      source: "model",
      flag: "--model",
    })
    : await openTokenModel(config, options);
  const { dataset } = options;
  const { agent: strategy, prompt, compat } = config;
  const agent = await openAgent(strategy, { model, dataset, prompt, compat });
  return held(agent, `${model.name} as a ${strategy} agent`);
}

/**
 * Checks that the agent can work without a user.
 * @throws {ConfigError} If the agent, the policy or the prompt needs a user.
 */
function requireSolo({ agent, policy, prompt }: EvaluationConfig): void {
  const wrong = policy !== null
    ? `the policy of "${policy}" was trained to talk to users`
    : agent !== "tool-calling"
    ? `the prompt of the ${agent} agent assumes a user`
    : undefined;
  if (wrong !== undefined) {
    throw new ConfigError(`Cannot evaluate in solo mode: ${wrong}`, {
      hint: "pass --model NAME with the tool-calling agent, or --agent expert",
    });
  }
  if (prompt === "full") return;
  throw new ConfigError(
    `Cannot evaluate in solo mode: with prompt=${prompt}, the agent does not see the ticket`,
    { hint: "pass --set prompt=full, or --agent expert" },
  );
}

async function openPolicy(
  config: EvaluationConfig,
  { dataset }: OpenCandidateOptions,
): Promise<Candidate> {
  const policy = await openRunPolicy(await readRun(config.policy ?? ""));
  const temperature = config.model.temperature ?? 1;
  return {
    agent: await policy.agent({ temperature, dataset }),
    description:
      `the policy of "${config.policy}" after step ${policy.step}, at temperature ${temperature}`,
    [Symbol.asyncDispose]: () => policy[Symbol.asyncDispose](),
  };
}

/**
 * Opens a model that takes and returns token ids, so that the evaluation uses exactly the tokens that training would
 * use.
 */
async function openTokenModel(
  { model: config }: EvaluationConfig,
  { meter, env, signal }: OpenCandidateOptions,
): Promise<ChatModel> {
  const name = modelName(config, "--model");
  meter.requirePrice(name);
  if (config.provider !== "sglang") {
    throw new ConfigError(
      `--tokenizer works only with sglang, but the provider is ${config.provider}`,
      { hint: "pass --provider sglang, or omit --tokenizer" },
    );
  }
  const { baseUrl } = resolveEndpoint(env ? { ...config, env } : config);
  const url = baseUrl.replace(/\/v1$/, "");
  const directory = config.tokenizer ?? "";
  const tokenizer = await loadTokenizer(directory);
  const model = tokenChatModel(
    sglangTokenModel({
      url,
      model: name,
      contextLength: config.contextLength,
      caller: callerOf(config, "model"),
      meter,
    }),
    {
      tokenizer,
      template: await loadChatTemplate(directory, {
        tokenizer,
        variables: thinkingVariables(config.thinking),
      }),
      temperature: config.temperature ?? 1,
      maxTokensPerTurn: config.maxTokens,
    },
  );
  await checkModel(
    model,
    `--model ${name} (sglang, ${url}/generate)`,
    { signal },
  );
  return model;
}

function held(agent: Agent, description: string): Candidate {
  return {
    agent,
    description,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
