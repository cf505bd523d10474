import{i as e,s as t,t as n}from"./jsx-runtime-Vg7gJn2C.js";import{a as r,c as i,i as a,n as o,o as s,r as c}from"./form-D3VcfdG9.js";var l=t(e(),1),u=n(),d=`
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      userErrors { code field message }
    }
  }
`,f=`
  mutation SignOut {
    signOut { __typename }
  }
`;async function p(){await i(f)}function m({onSignedIn:e}){let[t,n]=(0,l.useState)(``),[f,p]=(0,l.useState)(``),m=s([`email`,`password`],async()=>{let{signIn:n}=await i(d,{input:{email:t,password:f,transport:`COOKIE`}});return n.userErrors.length===0&&await e(),n.userErrors});return(0,u.jsxs)(`form`,{onSubmit:m.submit,children:[(0,u.jsx)(a,{children:m.problem}),(0,u.jsx)(o,{form:m,name:`email`,label:`E-mail address`,type:`email`,autoComplete:`username`,required:!0,value:t,onValue:n}),(0,u.jsx)(c,{form:m,label:`Password`,autoComplete:`current-password`,value:f,onValue:p}),(0,u.jsx)(r,{form:m,children:`Sign in`}),(0,u.jsx)(`p`,{className:`hint`,children:(0,u.jsx)(`a`,{href:`/reset`,children:`Forgot your password?`})})]})}export{p as n,m as t};