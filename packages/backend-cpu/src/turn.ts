/** Lets timers, messages and aborts act: the next turn of the event loop, as soon as the platform has one. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
    } else if (typeof MessageChannel === 'function') {
      const { port1, port2 } = new MessageChannel();
      const opened = (): void => {
        port1.close();
        resolve();
      };
      Object.assign(port1, { onmessage: opened });
      port2.postMessage(0);
    } else {
      setTimeout(resolve, 0);
    }
  });
}
