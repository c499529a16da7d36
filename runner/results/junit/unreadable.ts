/** Thrown inside this folder for content that is no readable XML; it ends as the verdict `reject`, never as an error. */
export class Unreadable extends Error {}
