/** Provides chat templates in the style of public templates, and conversations to render with them. */

import { QWEN3_HYBRID, QWEN3_INSTRUCT } from "./qwen3.ts";

/** A template with a header for each role, tools as indented JSON, the date, and calls as JSON. */
const HEADERS = `{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = "" %}
{%- endif %}
{{- "[system]\\n" }}
{%- if tools is not none %}
    {{- "Date: " + (strftime_now("%d %b %Y") if strftime_now is defined else "?") + "\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system }}[end]
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '[' + message['role'] + ']\\n\\n' + (message['content'] | string | trim) + '[end]' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {{- '{"name": "' + tool_call.name + '", "parameters": ' }}{{- tool_call.arguments | tojson }}{{- "}[end]" }}
    {%- elif message.role == "tool" %}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}{%- else %}{{- message.content }}{%- endif %}[end]
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '[assistant]\\n\\n' }}{%- endif %}
`;

/** A template that writes tools and calls as XML. Values that have no tag are printed in Python's format. */
const XML = `{% macro extra(json, handled) %}
    {%- if json is mapping %}
        {%- for key in json if key not in handled %}
            {%- if json[key] is mapping or (json[key] is sequence and json[key] is not string) %}
                {{- '\\n<' ~ key ~ '>' ~ (json[key] | tojson | safe) ~ '</' ~ key ~ '>' }}
            {%- else %}
                {{-'\\n<' ~ key ~ '>' ~ (json[key] | string) ~ '</' ~ key ~ '>' }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
{% endmacro %}
{%- for tool in tools or [] %}
    {%- set tool = tool.function %}
    {{- "\\n<function>\\n<name>" ~ tool.name ~ "</name>" }}
    {%- if tool.description %}{{- '\\n<description>' ~ (tool.description | trim) ~ '</description>' }}{%- endif %}
    {%- for name, fields in tool.parameters.properties | items %}
        {{- '\\n<parameter>\\n<name>' ~ name ~ '</name><type>' ~ (fields.type | string) ~ '</type>' }}
        {{- extra(fields, ['name', 'type', 'description']) }}
    {%- endfor %}
    {{- extra(tool, ['type', 'name', 'description', 'parameters']) }}
    {{- "\\n<required>" ~ tool.parameters.required ~ "</required>" }}
{%- endfor %}
{%- for message in messages %}
    {%- if message.role == "assistant" and message.tool_calls is defined and message.tool_calls is iterable and message.tool_calls | length > 0 %}
        {{- '<|assistant|>' }}
        {%- if message.content is defined and message.content is string and message.content | trim | length > 0 %}{{- '\\n' + message.content | trim + '\\n' }}{%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '\\n<call=' + tool_call.name + '>\\n' }}
            {%- if tool_call.arguments is mapping %}
                {%- for name, value in tool_call.arguments | items %}
                    {{- '<' + name + '>\\n' }}
                    {%- set value = value if value is string else value | string %}
                    {{- value }}{{- '\\n</' + name + '>\\n' }}
                {%- endfor %}
            {%- endif %}
        {%- endfor %}
    {%- elif message.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}{{- '<|user|>' }}{%- endif %}
        {{- '\\n<response>\\n' }}{{- message.content }}{{- '\\n</response>' }}
        {%- if not loop.last and loop.nextitem.role != "tool" or loop.last %}{{- '<|end|>\\n' }}{%- endif %}
    {%- else %}
        {{- '<|' + message.role + '|>' + '\\n' + (message.content or '') + '<|end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
`;

/** A template with recursive macros that declare schemas, and with sorted arguments in braces. */
const DECLARATIONS = `{%- macro declare(properties, required) -%}
    {%- set ns = namespace(first=true) -%}
    {%- for key, value in properties | dictsort -%}
        {%- if not ns.first %},{% endif -%}
        {%- set ns.first = false -%}
        {{ key }}{{ '!' if key in (required or []) }}:{
        {%- if value['type'] is string and value['type'] | upper == 'OBJECT' -%}
            {{ declare(value.get('properties', {}), value.get('required')) }}
        {%- elif value['enum'] is defined -%}{{ show(value['enum']) }}
        {%- else -%}{{ value['type'] | default('any', true) | string | capitalize }}{%- endif -%}
        }
    {%- endfor -%}
{%- endmacro -%}
{%- macro show(value) -%}
    {%- if value is string -%}{{ '"' + value + '"' }}
    {%- elif value is boolean -%}{{ 'true' if value else 'false' }}
    {%- elif value is none -%}null
    {%- elif value is mapping -%}{ {%- for k, v in value | dictsort -%}{{ k }}:{{ show(v) }}{% if not loop.last %},{% endif %}{%- endfor -%} }
    {%- elif value is iterable -%}[{%- for v in value -%}{{ show(v) }}{{ ',' if not loop.last }}{%- endfor -%}]
    {%- else -%}{{ value }}{%- endif -%}
{%- endmacro -%}
{{ bos_token }}{%- for tool in tools or [] %}
<declare>{{ tool.function.name }}{ {{- declare(tool.function.parameters.properties, tool.function.parameters.required) -}} }</declare>
{%- endfor %}
{%- set ns = namespace(last=-1) %}
{%- for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}
{%- for m in messages %}
<turn>{{ 'model' if m.role == 'assistant' else m.role }}
{% if m.reasoning_content and loop.index0 > ns.last %}<think>{{ m.reasoning_content.strip('\\n') }}</think>{% endif -%}
{%- if m.content is string -%}{{ m.content.split('</think>')[-1].lstrip('\\n') | trim }}
{%- elif m.content is sequence -%}{% for part in m.content %}{{ part.text if part.type == 'text' else '<' + part.type + '>' }}{% endfor %}
{%- endif -%}
{%- for call in m.tool_calls or [] -%}
    {%- set args = call.function.arguments -%}
    call:{{ call.function.name }}{ {%- if args is mapping -%}{%- for k, v in args | dictsort -%}{{ k }}:{{ show(v) }}{{ ',' if not loop.last }}{%- endfor -%}{%- elif args is string -%}{{ args }}{%- endif -%} }
{%- endfor -%}
<end>
{% endfor %}
{%- if add_generation_prompt %}<turn>model
{% endif %}`;

/** A template that expects arguments as text and joins them with other text. */
const TEXT_ARGUMENTS =
  `{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, system='', outputs=0) %}{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system = ns.system ~ '\\n' ~ message['content'] %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system }}{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{ '<U>' + message['content'] }}{%- endif %}{%- if message['role'] == 'assistant' and message['tool_calls'] %}{%- for tool in message['tool_calls'] %}{%- if not ns.is_first %}{{ '<A><calls>' + tool['type'] + '<sep>' + tool['function']['name'] + '\\n' + '\`\`\`json' + '\\n' + tool['function']['arguments'] + '\\n' + '\`\`\`' }}{%- set ns.is_first = true -%}{%- else %}{{ '\\n' + tool['function']['arguments'] }}{%- endif %}{%- endfor %}{%- endif %}{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{ content + '<end>' }}{%- endif %}{%- if message['role'] == 'tool' %}{%- set ns.outputs = ns.outputs + 1 %}{{ '<out ' ~ ns.outputs ~ '>' + message['content'] }}{%- endif %}{%- endfor -%}{% if add_generation_prompt %}{{ '<A>' }}{% endif %}`;

/**
 * A template that requires alternating roles, writes the ids of calls, and writes the tools before the last question.
 */
const ALTERNATING =
  `{%- set loop_messages = messages[1:] if messages[0]["role"] == "system" else messages %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace(index=0) %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, roles must alternate, not " ~ loop.index) }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[TOOLS][" }}
            {%- for tool in tools %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.function.items() if key != "return" %}
                    {%- if val is string %}{{- '"' + key + '": "' + val + '"' }}{%- else %}{{- '"' + key + '": ' + val|tojson }}{%- endif %}
                    {%- if not loop.last %}{{- ", " }}{%- endif %}
                {%- endfor %}
                {{- "}}" }}{%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}
            {%- endfor %}
            {{- "[/TOOLS]" }}
        {%- endif %}
        {{- "[INST] " + message["content"] | join + "[/INST]" }}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[CALLS][" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}{{- ', "id": "' + tool_call.id[-9:] + '"}' }}{{- ", " if not loop.last else "]" + eos_token }}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- elif message["role"] in ["tool", "tool_results"] %}
        {%- if message.content is defined and message.content.content is defined %}{%- set content = message.content.content %}{%- else %}{%- set content = message.content %}{%- endif %}
        {{- '[RESULT]{"content": ' + content|string + ', "id": "' + message.tool_call_id|default('none') + '"}' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported") }}
    {%- endif %}
{%- endfor %}
`;

/** Templates in the style of Llama, Qwen3-Coder, Gemma, DeepSeek and Mistral, and Qwen3's real templates. */
export const CHAT_TEMPLATES: Readonly<Record<string, string>> = {
  headers: HEADERS,
  xml: XML,
  declarations: DECLARATIONS,
  textArguments: TEXT_ARGUMENTS,
  alternating: ALTERNATING,
  alternatingCrlf: ALTERNATING.replaceAll("\n", "\r\n"),
  qwen3: QWEN3_HYBRID,
  qwen3Instruct: QWEN3_INSTRUCT,
};

const TOOLS = String.raw`[
  {"type": "function", "function": {"name": "pay", "description": "Pays \"é\" <b>&</b>\nsecond line", "parameters": {
    "type": "object", "properties": {
      "amount": {"type": "number", "description": "how much", "minimum": 0.5, "default": 1.0},
      "note": {"type": ["string", "null"], "enum": ["a", "b", null]}, "10": {"type": "integer"},
      "2": {"type": "array", "items": {"type": "string"}},
      "o": {"type": "object", "properties": {"x": {"type": "boolean", "default": true}}, "required": ["x"]}},
    "required": ["amount", "note"]}}},
  {"type": "function", "function": {"name": "look_up", "description": "", "parameters": {
    "type": "object", "properties": {}, "required": []}}}]`;

const ARGUMENTS = String
  .raw`{"amount": 1.0, "note": null, "10": [1, 2.5, true], "2": {"k": "it's \"é\"\n"},
  "big": 12345678901234567890, "e": 1e22, "f": []}`;

function call(name: string, given: string, id = "call00001"): string {
  return `{"id": "${id}", "type": "function", "function": {"name": "${name}", "arguments": ${given}}}`;
}

const PAY = call("pay", ARGUMENTS);

/**
 * Conversations as JSON, with system messages, CRLF, thoughts, null arguments, several calls, arguments as text,
 * content parts, and invalid roles.
 */
const CONVERSATIONS: readonly string[] = [
  `[{"role": "user", "content": "Hello"}]`,
  String
    .raw`[{"role": "system", "content": "  Be kind. \n"}, {"role": "user", "content": "Hi\r\nthere  "},
    {"role": "assistant", "content": "<think>\nhm\n</think>\n\nYes?"}, {"role": "user", "content": "more"}]`,
  String
    .raw`[{"role": "system", "content": "S"}, {"role": "user", "content": "Pay"},
    {"role": "assistant", "content": "", "tool_calls": [${PAY}]},
    {"role": "tool", "content": "{\"paid\": 2.0}", "name": "pay", "tool_call_id": "call00001"},
    {"role": "assistant", "content": "Done."}, {"role": "user", "content": "Thanks"}]`,
  `[{"role": "user", "content": "Pay"}, {"role": "assistant", "content": null, "tool_calls": [${PAY}, ${
    call("look_up", "{}", "call00002")
  }]},
    {"role": "tool", "content": "ok", "name": "pay", "tool_call_id": "call00001"},
    {"role": "tool", "content": "no", "name": "look_up", "tool_call_id": "call00002"}]`,
  String
    .raw`[{"role": "user", "content": "Pay"}, {"role": "assistant", "content": "Sure", "reasoning_content": "\nI think\nso\n",
    "tool_calls": [${call("pay", JSON.stringify(ARGUMENTS))}]},
    {"role": "tool", "content": "ok", "name": "pay", "tool_call_id": "call00001"},
    {"role": "assistant", "content": "bye", "reasoning_content": "x"}]`,
  `[{"role": "user", "content": [{"type": "text", "text": "part"}, {"type": "image"}]}, {"role": "assistant", "content": "ok"}]`,
  `[{"role": "assistant", "content": "first"}, {"role": "assistant", "content": "second"}, {"role": "tool", "content": "r"}]`,
];

/**
 * The variables of chat templates as JSON: each conversation with and without tools, and with and without a generation
 * prompt.
 */
export const CHAT_CONTEXTS: readonly string[] = CONVERSATIONS.flatMap((
  messages,
) =>
  ["null", TOOLS].flatMap((tools) =>
    [true, false].map((prompt) =>
      `{"messages": ${messages}, "tools": ${tools}, "documents": null, "add_generation_prompt": ${prompt}, "bos_token": "<s>", "eos_token": "</s>"}`
    )
  )
);
