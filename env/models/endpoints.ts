/**
 * Resolves the base URL and the API key of a model endpoint from options, environment variables and the presets of
 * providers with an OpenAI-compatible API. Also converts model names to parts of file names.
 */

import { ConfigError } from "../errors.ts";

/** The name of a provider that has a preset. */
export type Provider =
  | "openai"
  | "gemini"
  | "openrouter"
  | "sglang"
  | "vllm"
  | "ollama";

/** The settings of a provider. */
interface Preset {
  readonly baseUrl: string;
  /** The environment variable that contains the API key, or `undefined` for local servers, which need no key. */
  readonly keyVariable?: string;
  /** The request field that limits the number of tokens in an answer. */
  readonly maxTokensField: "max_completion_tokens" | "max_tokens";
  /** Whether the server accepts `seed`. */
  readonly takesSeed: boolean;
}

const PRESETS: Readonly<Record<Provider, Preset>> = {
  openai: {
    baseUrl: "https://api.openai.com/v1",
    keyVariable: "OPENAI_API_KEY",
    maxTokensField: "max_completion_tokens",
    takesSeed: true,
  },
  gemini: {
    baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
    keyVariable: "GEMINI_API_KEY",
    maxTokensField: "max_tokens",
    takesSeed: false,
  },
  openrouter: {
    baseUrl: "https://openrouter.ai/api/v1",
    keyVariable: "OPENROUTER_API_KEY",
    maxTokensField: "max_tokens",
    takesSeed: true,
  },
  sglang: local("http://127.0.0.1:30000/v1"),
  vllm: local("http://127.0.0.1:8000/v1"),
  ollama: local("http://127.0.0.1:11434/v1"),
};

/** The names of all providers. */
export const PROVIDERS = Object.keys(PRESETS) as [Provider, ...Provider[]];

/**
 * The environment variables that may contain the base URL for the provider `openai`. The first variable that is set is
 * used.
 */
const BASE_URL_VARIABLES = ["OPENAI_BASE_URL", "OPENAI_API_BASE"];

/** A resolved endpoint, ready for calls. */
export interface Endpoint {
  readonly provider: Provider;
  /** The base URL, without a trailing slash. */
  readonly baseUrl: string;
  /** The API key, or `none` if no key is set. */
  readonly apiKey: string;
  /** The environment variable for the API key, or `undefined` for local servers. */
  readonly keyVariable?: string | undefined;
  readonly maxTokensField: Preset["maxTokensField"];
  readonly takesSeed: boolean;
}

/** Options for {@linkcode resolveEndpoint}. */
export interface EndpointOptions {
  readonly provider: Provider;
  /**
   * The base URL. Default: for `openai`, the base URL in the environment, if it is set; otherwise, the base URL in the
   * provider's preset.
   */
  readonly baseUrl?: string | null;
  /** Reads an environment variable. Default: `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
}

/**
 * Resolves the base URL and the key of an endpoint. The base URL in the options takes precedence. Otherwise, the
 * provider `openai` uses `OPENAI_BASE_URL` or `OPENAI_API_BASE`, as OpenAI's clients and LiteLLM do. If neither is set,
 * and for all other providers, the preset's base URL is used. Keys are read only from the environment. A key is
 * required only for the preset's base URL, if the preset specifies a variable for the key.
 * @throws {ConfigError} If the URL is invalid or a required key is not set.
 */
export function resolveEndpoint(options: EndpointOptions): Endpoint {
  const { provider, env = (name) => Deno.env.get(name) } = options;
  const preset = PRESETS[provider];
  const variable = options.baseUrl || provider !== "openai"
    ? undefined
    : BASE_URL_VARIABLES.find((name) => env(name));
  const given = variable === undefined ? options.baseUrl : env(variable);
  const baseUrl = checkedUrl(given || preset.baseUrl, { preset, variable });
  const isOwn = baseUrl === preset.baseUrl;
  const key = preset.keyVariable === undefined
    ? undefined
    : env(preset.keyVariable);
  if (!key && isOwn && preset.keyVariable !== undefined) {
    throw new ConfigError(
      `The API key for ${provider} is not set`,
      {
        hint: `set ${preset.keyVariable}, or ${otherServer(provider, env)}`,
      },
    );
  }
  return {
    provider,
    baseUrl,
    apiKey: key || "none",
    keyVariable: preset.keyVariable,
    // Self-hosted servers support the older name; only OpenAI's newer models require the new one.
    maxTokensField: isOwn ? preset.maxTokensField : "max_tokens",
    takesSeed: preset.takesSeed,
  };
}

/**
 * Returns the names of the environment variables that are read for a provider: the variable for its API key, if it has
 * one, and, for `openai`, the variables for the base URL.
 */
export function endpointVariables(provider: Provider): string[] {
  const { keyVariable } = PRESETS[provider];
  return [
    ...(keyVariable === undefined ? [] : [keyVariable]),
    ...(provider === "openai" ? BASE_URL_VARIABLES : []),
  ];
}

/**
 * Returns the second part of the hint for a missing key: how to use an endpoint that needs no key. If a base URL is set
 * in the environment but the chosen provider ignores it, the hint names the provider that uses it.
 */
function otherServer(
  provider: Provider,
  env: (name: string) => string | undefined,
): string {
  const set = BASE_URL_VARIABLES.find((name) => env(name));
  return set === undefined || provider === "openai"
    ? "pass the base URL of another endpoint"
    : `choose the provider openai, which uses ${set}`;
}

/** Maximum length of a model's name in a file name, so that file names stay below the usual limit of 255 bytes. */
const MAX_NAME_LENGTH = 100;

/**
 * Converts the name of a model to a part of a file name: `Qwen/Qwen3-4B` becomes `Qwen-Qwen3-4B`. The result has at
 * most {@linkcode MAX_NAME_LENGTH} characters. If no characters remain, it is `model`.
 */
export function fileNameOf(model: string): string {
  const name = model.replace(/[^\w.-]+/g, "-").slice(0, MAX_NAME_LENGTH);
  return name.replace(/^[-.]+|(?<![-.])[-.]+$/g, "") || "model";
}

function local(baseUrl: string): Preset {
  return { baseUrl, maxTokensField: "max_tokens", takesSeed: true };
}

/**
 * Checks a base URL and removes its trailing slashes. Its errors do not quote credentials.
 * @param origin The provider's preset, and the name of the environment variable that contains the URL, or `undefined`
 * if the URL is from another source.
 * @throws {ConfigError} If the text is not an HTTP or HTTPS URL, contains credentials, or ends in `/chat/completions`.
 */
function checkedUrl(
  text: string,
  { preset, variable }: {
    readonly preset: Preset;
    readonly variable: string | undefined;
  },
): string {
  const pass = variable === undefined ? "pass" : `set ${variable} to`;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      `"${
        text.replace(/(?<![^/])[^/]*@/g, "")
      }" is not the base URL of an endpoint`,
      { hint: `${pass} a URL such as http://127.0.0.1:30000/v1` },
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConfigError(
      `The base URL at ${url.host} contains a user name or password, which would be stored in run dirs`,
      {
        hint: `remove the user name and password, and ${
          preset.keyVariable === undefined
            ? "if the server needs a key, use the provider openai and set OPENAI_API_KEY"
            : `set ${preset.keyVariable}`
        }`,
      },
    );
  }
  const path = text.replace(/(?<!\/)\/+$/, "");
  const base = path.replace(/\/chat\/completions$/, "");
  if (base === path) return path;
  throw new ConfigError(
    `"${text}" is the chat completions URL, not a base URL`,
    { hint: `${pass} ${base}` },
  );
}
