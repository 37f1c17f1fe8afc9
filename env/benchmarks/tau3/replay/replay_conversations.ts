/**
 * Replays conversations between scripted participants: compares messages, termination reasons, costs, states, requests
 * and rewards.
 */

import { ToolError } from "../../../errors.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { agentRequest, userRequest } from "../chat_requests.ts";
import type { Tau3Bundle } from "../load_bundle.ts";
import { Orchestrator, SOLO_STOP_TOOL } from "../orchestrator.ts";
import { RaisedError } from "../raised.ts";
import { asFloat, messageObject } from "../tau3_message.ts";
import { initialStateSchema, type Tau3Task } from "../tau3_task.ts";
import { checkHashes } from "./replay_answers.ts";
import {
  checkOutcome,
  type EvaluationContext,
  rewardOrRaised,
  verdicts,
} from "./replay_evaluations.ts";
import type { ScriptedReply, Tau3RecordOf } from "./tau3_recording.ts";

/** The cost, in US dollars, of a scripted reply that does not specify its cost. */
const COST = 0.5;

/** The reply after the end of a script. */
const AFTER_SCRIPT: ScriptedReply = { content: "ok" };

/** A participant that follows a script and stores the last request that it received. */
class ScriptedParticipant {
  readonly #script: readonly ScriptedReply[];
  calls = 0;
  lastRequest: JsonObject[] | undefined;

  constructor(script: readonly ScriptedReply[]) {
    this.#script = script;
  }

  reply(request: JsonObject[]) {
    this.lastRequest = request;
    const { content, tool_calls, cost = COST } = this.#script[this.calls++] ??
      AFTER_SCRIPT;
    return { content, toolCalls: tool_calls ?? null, cost };
  }
}

/**
 * Replays a recorded conversation, and compares its messages, termination reason, costs, final state, last requests and
 * reward with the recording.
 */
export async function replayConversation(
  record: Tau3RecordOf<"orchestrator">,
  context: EvaluationContext,
): Promise<void> {
  const { checker } = context;
  const agent = new ScriptedParticipant(record.agent_script);
  const user = new ScriptedParticipant(record.user_script);
  const { config, result } = record;
  const task = withHistory(context.bundle.task(record.task_id), record.patch);
  const solo = config.solo_mode;
  try {
    const orchestrator = new Orchestrator({
      source: context.bundle,
      task,
      solo,
      maxSteps: config.max_steps,
      maxErrors: config.max_errors,
      validateCommunication: config.validate_communication,
    });
    for (
      let { next } = orchestrator;
      "speaker" in next;
      next = orchestrator.next
    ) {
      if (next.speaker === "user") {
        orchestrator.reply(user.reply(userRequest(orchestrator.userHistory)));
        continue;
      }
      const reply = agent.reply(agentRequest(orchestrator.agentHistory));
      // Upstream's solo agent raises before the orchestrator receives its reply.
      if (solo && !reply.toolCalls) {
        throw new RaisedError("ValueError", "A solo agent must call a tool");
      }
      orchestrator.reply(reply);
    }
    checker.equal("raises", { expected: result.get("raises"), got: undefined });
    await checkEnd(record, { ...context, orchestrator, task });
  } catch (error) {
    if (!(error instanceof RaisedError) && !(error instanceof ToolError)) {
      throw error;
    }
    checker.equal("raises", {
      expected: result.get("raises"),
      got: error instanceof RaisedError ? error.pythonClass : error.message,
    });
  }
  checkRequests(record, { agent, user, ...context });
}

async function checkEnd(
  { result, config }: Tau3RecordOf<"orchestrator">,
  { orchestrator, task, bundle, prompts, checker }: EvaluationContext & {
    orchestrator: Orchestrator;
    task: Tau3Task;
  },
): Promise<void> {
  const { next, costs } = orchestrator;
  const reason = "ended" in next ? next.ended : "unexpected_error";
  const recorded = result.get("messages");
  const got: Record<string, JsonValue> = {
    termination_reason: reason,
    steps: orchestrator.steps,
    num_errors: orchestrator.errors,
    agent_cost: costs === null ? null : asFloat(costs.agent),
    user_cost: costs === null ? null : asFloat(costs.user),
  };
  for (const [field, value] of Object.entries(got)) {
    checker.equal(field, {
      expected: text(result.get(field)),
      got: text(value),
    });
  }
  const expected = Array.isArray(recorded) ? recorded : [];
  const length = Math.max(expected.length, orchestrator.messages.length);
  for (let i = 0; i < length; i++) {
    const message = orchestrator.messages[i];
    checker.equal("message", {
      expected: text(expected[i]),
      got: message === undefined
        ? undefined
        : text(messageObject(message).set("turn_idx", i)),
      step: i + 1,
    });
  }
  checkHashes("final", {
    expected: hashesOf(result.get("final")),
    world: orchestrator.world,
    checker,
  });
  const raises = result.get("evaluation_raises");
  const reward_info = result.get("reward_info");
  const raised = typeof raises === "string" ? raises : undefined;
  const outcome = await rewardOrRaised({
    source: bundle,
    task,
    messages: orchestrator.messages,
    terminationReason: reason,
    solo: config.solo_mode,
    judge: { prompts, ask: () => verdicts(task, true) },
  }, raised);
  checkOutcome({
    raises: raised,
    reward_info: reward_info instanceof Map ? reward_info : undefined,
  }, { outcome, checker, brief: true });
}

function checkRequests(
  { result, config }: Tau3RecordOf<"orchestrator">,
  { agent, user, bundle, checker }: EvaluationContext & {
    agent: ScriptedParticipant;
    user: ScriptedParticipant;
  },
): void {
  const sides = { agent, user };
  const tools = toolNames(bundle, config.solo_mode);
  for (const [side, participant] of Object.entries(sides)) {
    checker.equal(`${side}_calls`, {
      expected: result.get(`${side}_calls`),
      got: participant.calls,
    });
    checker.equal(`${side}_last_request`, {
      expected: text(result.get(`${side}_last_request`)),
      // Recordings omit a request without messages.
      got: participant.lastRequest?.length === 0
        ? undefined
        : text(participant.lastRequest),
    });
    const recorded = result.get(`${side}_request_args`);
    if (recorded === undefined || recorded === null) continue;
    checker.equal(`${side}_request_args`, {
      expected: text(recorded),
      got: text(
        new Map<string, JsonValue>([
          ["tools", tools[side as "agent" | "user"]],
          [
            "tool_choice",
            config.solo_mode && side === "agent" ? "required" : null,
          ],
        ]),
      ),
    });
  }
}

/** Returns the names of the tools offered to each side's model. */
function toolNames(
  { domain, part }: Tau3Bundle,
  solo: boolean,
): { agent: string[]; user: string[] | null } {
  const agent = domain.tools.map(({ name }) => name);
  const user = part.userTools?.map(({ name }) => name) ?? null;
  return solo
    ? { agent: [...agent, ...user ?? [], SOLO_STOP_TOOL], user: null }
    : { agent, user };
}

/**
 * Returns a copy of a task with the set-up calls and the history from `patch`, or the task itself if the patch has no
 * initial state.
 */
function withHistory(task: Tau3Task, patch: JsonObject | undefined): Tau3Task {
  const state = patch?.get("initial_state");
  if (state === undefined) return task;
  const parsed = initialStateSchema.nullable().parse(state);
  return {
    ...task,
    setUp: parsed?.initialization_actions ?? [],
    history: parsed?.message_history ?? [],
  };
}

function hashesOf(value: JsonValue | undefined): {
  db: string;
  user_db?: string;
} {
  if (!(value instanceof Map)) return { db: "" };
  const [db, userDb] = [value.get("db"), value.get("user_db")];
  return {
    db: typeof db === "string" ? db : "",
    ...typeof userDb === "string" && { user_db: userDb },
  };
}

function text(value: JsonValue | undefined): string | undefined {
  return value === undefined ? undefined : printPythonJson(value);
}
