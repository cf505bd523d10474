import { mount } from '../page';
import { Mailbox } from './mailbox';

mount(<Mailbox />);
