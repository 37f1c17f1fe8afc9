// @ts-check
/** The fields of a filter. In a browser the server's copy of them stands in for this module (page_files.ts). */

import { FILTER_FIELDS } from "../../../train/runs/episode_facts.ts";

/** @type {Readonly<Record<string, { is: "number" | "text" | "list", choice?: string }>>} */
export const FIELDS = FILTER_FIELDS;
