/**
 * Reads the agent, the model and the dataset's name from a run's `config.yaml`, whichever trainer and version wrote it.
 * Missing values become `null`.
 */

import { join } from "node:path";
import { Yaml } from "../../train/config/yaml_file.ts";
import { readTextIfThere } from "../../train/runs/storage.ts";

/** The parts of a config that the viewer shows. */
export interface ShownConfig {
  /** The text of the file, or `null` if there is none. */
  readonly text: string | null;
  readonly agent: string | null;
  /** The name of the model, or of the policy that is being trained. */
  readonly model: string | null;
  /** The source and domain of the dataset, such as `generated retail`. */
  readonly world: string | null;
}

/** Reads the config of a run. If it is damaged, only its text is returned. */
export async function readShownConfig(path: string): Promise<ShownConfig> {
  const name = join(path, "config.yaml");
  const text = await readTextIfThere(name) ?? null;
  const config = text === null ? {} : valueOf({ name, text });
  const model = sectionOf(config, "model");
  const data = sectionOf(config, "data");
  const world = [textIn(data, "source"), textIn(data, "domain")]
    .filter((part) => part !== null).join(" ");
  return {
    text,
    agent: textIn(config, "agent"),
    model: textIn(config, "policy") ?? textIn(model, "model") ??
      textIn(model, "name") ?? sizeOf(model),
    world: world === "" ? null : world,
  };
}

function valueOf(file: { name: string; text: string }): unknown {
  try {
    return new Yaml(file, "the config").value;
  } catch {
    return {};
  }
}

/**
 * Returns a description of a policy's size, or `null` if the config has no size. It is shown instead of a name if the
 * policy is trained from scratch.
 */
function sizeOf(model: Readonly<Record<string, unknown>>): string | null {
  const { layers, dim } = model;
  return typeof layers === "number" && typeof dim === "number"
    ? `own policy, ${layers} × ${dim}`
    : null;
}

function sectionOf(
  value: unknown,
  key: string,
): Readonly<Record<string, unknown>> {
  const section = recordOf(value)[key];
  return recordOf(section);
}

function textIn(value: unknown, key: string): string | null {
  const text = recordOf(value)[key];
  return typeof text === "string" && text !== "" ? text : null;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
