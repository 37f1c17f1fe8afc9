/**
 * Provides small chat templates: one per format that writes tool calls as public templates do, one that writes no
 * calls, and one like GLM's.
 */

import { ChatTemplate } from "../../env/tokens/chat_template.ts";
import type { ToolCallFormat } from "../../env/tokens/tool_calls/tool_call_format.ts";

/** The Jinja source that writes a call in each format. The variable `f` is the called function. */
const CALLS: Readonly<Record<ToolCallFormat, string>> = {
  qwen25:
    `<tool_call>\n{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}}\n</tool_call>`,
  hermes:
    `<tool_call>{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}}</tool_call>`,
  qwen3_coder:
    `<tool_call>\n<function={{ f.name }}>\n{% for k, v in f.arguments | items %}<parameter={{ k }}>\n{{ v }}\n</parameter>\n{% endfor %}</function>\n</tool_call>`,
  glm45:
    `\n<tool_call>{{ f.name }}\n{% for k, v in f.arguments | items %}<arg_key>{{ k }}</arg_key>\n<arg_value>{{ v }}</arg_value>\n{% endfor %}</tool_call>`,
  pythonic:
    `[{{ f.name }}({% for k, v in f.arguments | items %}{{ k }}={{ v | tojson }}{% endfor %})]`,
  deepseekv3:
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>{{ f.name }}\n```json\n{{ f.arguments | tojson }}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
  "gpt-oss":
    `<|start|>assistant to=functions.{{ f.name }}<|channel|>commentary json<|message|>{{ f.arguments | tojson }}<|call|>`,
};

/** Returns a chat template that writes calls in a format and ends every turn with `</s>`. */
export function callTemplate(format: ToolCallFormat): ChatTemplate {
  return new ChatTemplate({
    source: sourceOf(CALLS[format]),
    endToken: "</s>",
  });
}

/** Returns a chat template that does not write tool calls. */
export function silentTemplate(): ChatTemplate {
  return new ChatTemplate({ source: sourceOf(""), endToken: "</s>" });
}

function sourceOf(call: string): string {
  return `{%- for m in messages -%}
[{{ m.role }}]{{ m.content }}
{%- for c in m.tool_calls or [] -%}
{%- set f = c.function -%}
${call}
{%- endfor -%}
</s>
{%- endfor -%}
{%- if add_generation_prompt -%}[assistant]{%- endif -%}`;
}

/**
 * The Jinja source of a template like GLM's. Turns have no end token; each turn begins with a token that also ends the
 * answer before it.
 */
export const GLM_SOURCE = `{%- for m in messages -%}
{%- if m.role == "user" -%}<|user|>
{{ m.content }}
{%- elif m.role == "tool" -%}<|observation|>
{{ m.content }}
{%- else -%}<|assistant|>
{{ m.content }}
{%- for c in m.tool_calls or [] -%}
{%- set f = c.function -%}
${CALLS.glm45}
{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>
{%- endif -%}`;
