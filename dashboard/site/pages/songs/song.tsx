import { Page } from '../../components/page.tsx';

export default function Song() {
  return <Page title="Song">{null}</Page>;
}
