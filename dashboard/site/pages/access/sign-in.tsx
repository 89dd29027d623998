import { Page } from '../../components/page.tsx';

export default function SignIn() {
  return <Page title="SignIn">{null}</Page>;
}
