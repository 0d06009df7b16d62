/** A worker that ends itself when it is asked for labels: browsers tell nobody. */
import 'ivit/model-worker';

declare const self: {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
};

self.addEventListener('message', ({ data }) => {
  if (JSON.stringify(data).includes('"call":"classify"')) self.close();
});
