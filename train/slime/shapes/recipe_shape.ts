/** Determines the shape of a recipe's model, either from a preset with the model's name, or from `model.shape`. */

import { ConfigError, messageOf } from "../../../env/errors.ts";
import { nearest } from "../../../env/schema_issue.ts";
import type { ModelShape } from "../model_shapes.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { MODEL_PRESETS } from "./model_presets.ts";
import { readModelScript } from "./model_script.ts";
import { shapeOfWords } from "./shape_of_words.ts";
import { parseConfigFile, shapeOfConfig } from "./words_of_config.ts";

type Model = SlimeConfig["model"];

/**
 * Returns a recipe's model with its shape read from the file that `model.shape` names, so that a run's config does not
 * depend on the file. The model is returned unchanged if `model.shape` names no file.
 * @param read Reads a file on this machine.
 * @throws {ConfigError} If the file cannot be read, or its name does not end with `.sh` and it is not a JSON object.
 * @throws {DataError} If a script uses unsupported syntax, or does not set `MODEL_ARGS`.
 */
export function withShapeRead(
  model: Model,
  read: (path: string) => string,
): Model {
  const { shape: path } = model;
  if (typeof path !== "string") return model;
  const readNamed = (name: string) => {
    try {
      return read(name);
    } catch (cause) {
      throw new ConfigError(
        name === path
          ? `Cannot read model.shape "${name}": ${messageOf(cause)}`
          : `Cannot read "${name}", which model.shape "${path}" sources: ${
            messageOf(cause)
          }`,
        {
          cause,
          hint:
            "set model.shape to a file on this machine: slime's scripts/models/NAME.sh, or a checkpoint's config.json",
        },
      );
    }
  };
  const shape = path.endsWith(".sh")
    ? { arguments: readModelScript({ path, read: readNamed }) }
    : parseConfigFile(readNamed(path), path);
  return Object.freeze({ ...model, shape: Object.freeze(shape) }) as Model;
}

/**
 * Returns the shape of a recipe's model.
 * @throws {ConfigError} If the model has no shape and is not a preset, or its shape is invalid.
 * @throws {TypeError} If `model.shape` names a file that has not been read.
 */
export function recipeShape({ name, shape }: Model): ModelShape {
  if (shape === null) return presetShape(name);
  if (typeof shape === "string") {
    throw new TypeError(`model.shape "${shape}" has not been read`);
  }
  const words = shape["arguments"];
  if (words === undefined) return shapeOfConfig(shape, "model.shape");
  if (
    !Array.isArray(words) || words.some((word) => typeof word !== "string")
  ) {
    throw new ConfigError("model.shape.arguments must be a list of strings", {
      hint:
        "write the arguments as in MODEL_ARGS of slime's scripts/models/NAME.sh",
    });
  }
  const positions = shape["positions"];
  return shapeOfWords(words, {
    origin: "model.shape",
    positions: typeof positions === "number" ? positions : undefined,
  });
}

function presetShape(name: string): ModelShape {
  const names = Object.keys(MODEL_PRESETS);
  if (Object.hasOwn(MODEL_PRESETS, name)) return MODEL_PRESETS[name]!;
  const near = nearest(name, names);
  throw new ConfigError(
    `model.name "${name}" is not one of the known models: ${names.join(", ")}`,
    {
      hint:
        `did you mean "${near}"? For another model, set model.shape to slime's scripts/models/NAME.sh, a config.json, or its keys`,
    },
  );
}
