import { Page } from '../../components/page.tsx';

export default function Tracks() {
  return <Page title="Catalogue">{null}</Page>;
}
