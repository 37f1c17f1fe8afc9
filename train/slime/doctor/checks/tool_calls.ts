/** Checks that the parser of tool calls can read what the chat template writes. */

import {
  DEFAULT_FORMAT,
  readsCall,
  renderedCall,
  templateFormat,
} from "../../../../env/tokens/tool_calls/template_format.ts";
import {
  TOOL_CALL_FORMATS,
  type ToolCallFormat,
} from "../../../../env/tokens/tool_calls/tool_call_format.ts";
import type { ChatTemplate } from "../../../../env/tokens/chat_template.ts";
import { type Check, fail, type Observed, pass, warn } from "../check.ts";

/** The `tool-calls` check. */
export const check: Check = {
  id: "tool-calls",
  order: 112,
  title: "the parser can read the tool calls that the chat template writes",
  async run({ facts, config: { model } }) {
    const { template } = await facts.codec();
    return [judge(template, model.toolCalls)];
  },
};

function judge(
  template: ChatTemplate,
  chosen: ToolCallFormat | null,
): Observed {
  const rendered = renderedCall(template);
  const format = chosen ?? templateFormat(template);
  if (rendered === null) {
    return warn(
      `the chat template writes no tool calls; answers are parsed as ${
        format ?? DEFAULT_FORMAT
      }`,
      "use the template of the instruction-tuned model, or one that supports tools",
    );
  }
  if (format !== null && readsCall(format, rendered)) {
    return pass(`calls are written and parsed as ${format}`);
  }
  const shown = JSON.stringify(rendered.trim().slice(0, 120));
  const fitting = TOOL_CALL_FORMATS.filter((one) => readsCall(one, rendered));
  return fail(
    `the chat template writes a call as ${shown}, but ${
      format === null
        ? `no parser can read it (${TOOL_CALL_FORMATS.join(", ")})`
        : `the parser ${format} cannot read it (the others are ${
          TOOL_CALL_FORMATS.filter((one) => one !== format).join(", ")
        })`
    }`,
    fitting.length === 0
      ? "use a model whose calls have one of these formats"
      : `set model.toolCalls to ${fitting.join(" or ")}`,
  );
}
