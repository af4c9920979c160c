// What `import` gives.

export { banner } from "./banner";
export { checkout } from "./checkout";
export type { Outcome, Payments } from "./checkout";
export type { Answer, Choice, Method, Purpose } from "./consent";
export type { Ids } from "./journey";
export type { Parameters } from "./tracker";
export { start } from "./start";
export type { Options, Part, Throughline } from "./start";
export { stripe } from "./stripe";
