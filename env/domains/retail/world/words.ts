/**
 * The vocabulary of the generated store. All words are in lower case, as in `people.ts`. Every product name ends in a
 * unique noun, so that its last word identifies it.
 */

/** The names of the products. */
export const PRODUCT_NAMES = [
  "oak stool",
  "wool scarf",
  "tin whistle",
  "bread knife",
  "rain jacket",
  "garden rake",
  "copper pan",
  "silk tie",
  "canvas tent",
  "pocket radio",
  "beach towel",
  "paper lantern",
  "leather belt",
  "chess board",
  "guitar strap",
  "picture frame",
  "soup bowl",
  "sun hat",
  "hand drum",
  "bath robe",
  "flower vase",
  "bird feeder",
  "door mat",
  "card wallet",
  "ink pen",
  "wind chime",
  "fruit basket",
  "travel pillow",
  "wood puzzle",
  "steel whisk",
  "tool box",
  "bike bell",
  "salt grinder",
  "floor rug",
  "ice bucket",
  "night light",
  "camp stove",
  "snow shovel",
  "photo album",
  "tea tray",
] as const;

/** The options of products and their values, in the order in which options are added to a product. */
export const OPTIONS = [
  ["color", ["red", "blue", "green", "black", "white", "yellow"]],
  ["size", ["small", "medium", "large"]],
  ["finish", ["matte", "glossy"]],
] as const;
