/** Milliseconds since the epoch. Rooms that decide take time from events; rooms that act take a Clock. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();
