import { mount } from '../page';
import { Home } from './home';

mount(<Home />);
