import{a as e,c as t,d as n,f as r,i,n as a,o,r as s,u as c}from"./form-DbmKZDJR.js";import{i as l,s as u,t as d}from"./jsx-runtime-Vg7gJn2C.js";import{n as f,t as p}from"./fragment-CKCuf7Tx.js";var m=u(l(),1),h=d(),g=`convoke.reset`,_=`
  query PasswordPolicy {
    serverInfo { passwordMinLength }
  }
`,v=`
  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) {
      resetSent
      userErrors { code field message }
    }
  }
`,y=`
  mutation ResetPassword($input: ResetPasswordInput!) {
    resetPassword(input: $input) {
      viewer { user { email } }
      userErrors { code field message }
    }
  }
`;function b(){let[e,t]=(0,m.useState)(()=>f(g));(0,m.useEffect)(()=>{let e=()=>t(f(g));return addEventListener(`hashchange`,e),()=>removeEventListener(`hashchange`,e)},[]);let[r,i]=(0,m.useState)(!1);return(0,h.jsx)(n,{children:(0,h.jsx)(`section`,{className:`card`,children:e?(0,h.jsx)(x,{token:e,onForget:()=>{p(g),t(null),i(!0)}},e):(0,h.jsx)(S,{again:r})})})}function x({token:n,onForget:r}){let[a,l]=(0,m.useState)(``),[u,d]=(0,m.useState)(0),[f,v]=(0,m.useState)(null);(0,m.useEffect)(()=>{t(_).then(({serverInfo:e})=>d(e.passwordMinLength),()=>void 0)},[]);let b=o([`newPassword`],async()=>{let{resetPassword:e}=await t(y,{input:{token:n,newPassword:a,transport:`COOKIE`}});return e.userErrors.length===0&&(p(g),v({email:e.viewer?.user?.email})),e.userErrors});return f?(0,h.jsxs)(h.Fragment,{children:[(0,h.jsx)(c,{children:`Your new password is set`}),(0,h.jsxs)(`p`,{children:[f.email&&(0,h.jsxs)(h.Fragment,{children:[`You are signed in as `,(0,h.jsx)(`strong`,{children:f.email}),`.`,` `]}),`Everywhere else you have been signed out. If you came here from an invitation, go back to its page and accept it.`]}),(0,h.jsx)(`p`,{children:(0,h.jsx)(`a`,{className:`button`,href:`/`,children:`Continue`})})]}):(0,h.jsxs)(h.Fragment,{children:[(0,h.jsx)(`h1`,{children:`Set a new password`}),(0,h.jsx)(`p`,{children:`It signs you in here, and out everywhere else.`}),(0,h.jsxs)(`form`,{onSubmit:b.submit,children:[(0,h.jsx)(i,{children:b.problem}),(0,h.jsx)(s,{form:b,name:`newPassword`,label:`New password`,autoComplete:`new-password`,hint:u>0&&`At least ${u} characters.`,value:a,onValue:l}),(0,h.jsx)(e,{form:b,children:`Set the password`})]}),(0,h.jsx)(`button`,{type:`button`,className:`link`,onClick:r,children:`Ask for another link`})]})}function S({again:n}){let[r,s]=(0,m.useState)(``),[l,u]=(0,m.useState)(null),d=o([`email`],async()=>{let{requestPasswordReset:e}=await t(v,{input:{email:r}});return e.userErrors.length===0&&u({email:r,sent:e.resetSent}),e.userErrors});return l?(0,h.jsxs)(h.Fragment,{children:[(0,h.jsx)(c,{children:l.sent?`Look into your mail`:`No mail from here`}),(0,h.jsx)(`p`,{children:l.sent?(0,h.jsxs)(h.Fragment,{children:[`If there is a user with the address `,(0,h.jsx)(`strong`,{children:l.email}),`, a mail with a link is on its way. The link works for an hour, and once.`]}):`This server sends no mail, so it cannot send you a link. Ask whoever runs it.`})]}):(0,h.jsxs)(h.Fragment,{children:[n?(0,h.jsx)(c,{children:`Ask for another link`}):(0,h.jsx)(`h1`,{children:`Forgot your password?`}),(0,h.jsx)(`p`,{children:`Tell us your address, and we mail you a link that sets a new password.`}),(0,h.jsxs)(`form`,{onSubmit:d.submit,children:[(0,h.jsx)(i,{children:d.problem}),(0,h.jsx)(a,{form:d,name:`email`,label:`E-mail address`,type:`email`,autoComplete:`username`,required:!0,value:r,onValue:s}),(0,h.jsx)(e,{form:d,children:`Mail me a link`})]})]})}r((0,h.jsx)(b,{}));