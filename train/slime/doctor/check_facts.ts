/** Provides lookups that several checks share. Each lookup runs once, when a check first needs its result. */

import { parseModelJson } from "../../../env/tokens/model_dir.ts";
import { DataError, messageOf } from "../../../env/errors.ts";
import { createChatTemplate } from "../../../env/tokens/chat_template.ts";
import type { Codec } from "../../../env/tokens/conversation.ts";
import { createTokenizer } from "../../../env/tokens/tokenizer.ts";
import { thinkingVariables } from "../../../env/models/thought.ts";
import type { CallOptions, Dataset } from "../../../env/types.ts";
import { openDataset } from "../../config/open_dataset.ts";
import type { Shell } from "../hosts/shell.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { readHostFile } from "./host_file.ts";
import { type HostPython, readHostPython } from "./host_python.ts";

/** Options for {@linkcode Facts}. */
export interface FactsOptions extends CallOptions {
  readonly config: SlimeConfig;
  /** The head, where the model's files are read; `undefined` if it cannot be reached. */
  readonly head: Shell | undefined;
}

/** The lookups that checks share. Results and errors are cached. */
export class Facts {
  readonly #options: FactsOptions;
  readonly #files = new Map<string, Promise<string | undefined>>();
  readonly #pythons = new Map<Shell, Promise<HostPython>>();
  #dataset: Promise<Dataset> | null = null;
  #codec: Promise<Codec> | null = null;

  constructor(options: FactsOptions) {
    this.#options = options;
  }

  /**
   * Opens the recipe's dataset.
   * @throws {ConfigError | DataError} If the dataset is missing or damaged.
   */
  dataset(): Promise<Dataset> {
    return this.#dataset ??= openDataset(this.#options.config.data);
  }

  /**
   * Reads a file in the model's directory on the head.
   * @returns The text; `undefined` if the file does not exist.
   * @throws {HostError} If the connection to the head fails.
   * @throws {DataError} If the head could not be reached when the doctor started, or the file cannot be read.
   */
  modelFile(name: string): Promise<string | undefined> {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const { head, config } = this.#options;
    const path = `${config.model.directory}/${name}`;
    const file = head === undefined
      ? Promise.reject(
        new DataError(`Cannot read "${path}": the head cannot be reached`, {
          path,
          hint: 'fix what the check "hosts" reports',
        }),
      )
      : readHostFile(head, path, this.#options);
    this.#files.set(name, file);
    return file;
  }

  /**
   * Opens the tokenizer and chat template in the model's directory on the head.
   * @throws {DataError} If the head could not be reached when the doctor started, or the tokenizer or the template is
   * missing or damaged.
   * @throws {HostError} If the connection to the head fails.
   */
  codec(): Promise<Codec> {
    return this.#codec ??= this.#openCodec();
  }

  /**
   * Inspects the Python of a host.
   * @throws {HostError} If the host cannot be reached.
   * @throws {DataError} If the host does not have the recipe's interpreter, or the inspection fails.
   */
  python(host: Shell): Promise<HostPython> {
    const known = this.#pythons.get(host);
    if (known !== undefined) return known;
    const found = readHostPython(host, this.#options.config, this.#options);
    this.#pythons.set(host, found);
    return found;
  }

  async #openCodec(): Promise<Codec> {
    const { directory: origin, thinking } = this.#options.config.model;
    const tokenizer = createTokenizer({
      tokenizer: await this.#modelJson("tokenizer.json"),
      config: await this.#modelJson("tokenizer_config.json"),
      generation: await this.#modelJson("generation_config.json", true),
    }, origin);
    const template = createChatTemplate({
      tokenizer,
      config: await this.#modelJson("tokenizer_config.json"),
      jinja: await this.modelFile("chat_template.jinja"),
      variables: thinkingVariables(thinking),
      origin,
    });
    return { tokenizer, template };
  }

  async #modelJson(name: string, isOptional = false): Promise<unknown> {
    const text = await this.modelFile(name);
    const path = `${this.#options.config.model.directory}/${name}`;
    if (text === undefined) {
      if (isOptional) return undefined;
      throw new DataError(`"${path}" is missing`, {
        path,
        hint: 'fix what the check "model-files" reports',
      });
    }
    try {
      return parseModelJson(text);
    } catch (cause) {
      throw new DataError(
        `"${path}" is not JSON (${messageOf(cause)})`,
        { path, cause, hint: "download the file again" },
      );
    }
  }
}
