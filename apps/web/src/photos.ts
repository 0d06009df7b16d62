import catUrl from 'ivit/photos/cat.jpg?url';
import coffeeUrl from 'ivit/photos/coffee.png?url';
import kingfisherUrl from 'ivit/photos/kingfisher.jpg?url';
import rocketUrl from 'ivit/photos/rocket.jpg?url';

export interface BundledPhoto {
  readonly name: string;
  readonly url: string;
  readonly what: string;
}

export const BUNDLED: readonly BundledPhoto[] = [
  { name: 'kingfisher.jpg', url: kingfisherUrl, what: 'A kingfisher on a branch' },
  { name: 'cat.jpg', url: catUrl, what: 'A tabby cat' },
  { name: 'coffee.png', url: coffeeUrl, what: 'A cup of coffee' },
  { name: 'rocket.jpg', url: rocketUrl, what: 'A rocket at launch' },
];

/** The photo's file. @throws a coded error if the page's own server does not have it */
export async function fetchBundled({ name, url }: BundledPhoto): Promise<File> {
  const response = await fetch(url);
  if (!response.ok) throw new RangeError(`${name}: the server answered ${response.status}`);
  return new File([await response.blob()], name);
}
